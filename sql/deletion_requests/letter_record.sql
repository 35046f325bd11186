-- Note that a letter was written, and of the last one that no other is to come.
-- params:  request_id bigint, kind text, sha256 text, file_name text, rest text[], written_at timestamptz
-- returns: none
-- locks:   the new row, and the request's after its last letter
WITH written AS (
    INSERT INTO holdfast.request_letter (request_id, kind, sha256, file_name, rest, written_at)
    VALUES (:request_id, :kind, :sha256, :file_name, cast(:rest AS text []), :written_at)
    RETURNING request_id, kind, rest
)

UPDATE holdfast.deletion_request AS request SET last_letter_written = TRUE
FROM written
WHERE
    request.request_id = written.request_id
    AND (written.kind IN ('final', 'refusal', 'withdrawal') OR (written.kind = 'outcome' AND written.rest = '{}'))
