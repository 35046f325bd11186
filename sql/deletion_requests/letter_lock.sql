-- Let nobody else write a letter of this request until the transaction ends.
-- params:  request_id bigint
-- returns: none that matter
-- locks:   the request's row
SELECT request_id FROM holdfast.deletion_request WHERE request_id = :request_id FOR NO KEY UPDATE
