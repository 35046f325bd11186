-- Let nobody else change these requests until the transaction ends. Always in the same order, so that two never wait for
-- one another.
-- params:  requests bigint[]
-- returns: request_id bigint of each that exists
-- locks:   the requests' rows
SELECT request_id
FROM holdfast.deletion_request
WHERE request_id = any(cast(:requests AS bigint []))
ORDER BY request_id
FOR NO KEY UPDATE
