-- Give up the last letter of requests that ended and whose subject has no address, now that it was looked for again.
-- params:  none
-- returns: request_id bigint
-- locks:   those rows
UPDATE holdfast.deletion_request AS request
SET letters_ended = 'no_address'
WHERE
    request.state IN ('refused', 'withdrawn')
    AND request.letters_ended IS NULL
    AND NOT EXISTS (SELECT FROM holdfast.request_addressee AS kept WHERE kept.request_id = request.request_id)
RETURNING request.request_id
