-- Which open requests have nobody to write to? Their contact must not be erased, or no letter could follow. Not those
-- that were entered again after a restore: they had been carried out before.
-- params:  none
-- returns: request_id bigint, in order
-- locks:   none
SELECT request.request_id
FROM holdfast.deletion_request AS request
WHERE
    request.closed_at IS NULL
    AND request.letters_ended IS NULL
    AND NOT EXISTS (SELECT FROM holdfast.request_addressee AS kept WHERE kept.request_id = request.request_id)
ORDER BY request.request_id
