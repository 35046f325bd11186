-- Which letters did the person get, and what did they name as staying?
-- params:  request_id bigint
-- returns: one row for each letter, oldest first (kind, written_at, sha256, rest)
-- locks:   none
SELECT kind, written_at, sha256, rest
FROM holdfast.request_letter
WHERE request_id = :request_id
ORDER BY written_at, letter_id
