-- Which open requests have nobody to write to? Their contact must not be erased, or no letter could follow.
-- params:  none
-- returns: request_id bigint, in order
-- locks:   none
SELECT request.request_id
FROM holdfast.deletion_request AS request
WHERE
    request.closed_at IS NULL
    AND NOT EXISTS (SELECT FROM holdfast.request_addressee AS kept WHERE kept.request_id = request.request_id)
ORDER BY request.request_id
