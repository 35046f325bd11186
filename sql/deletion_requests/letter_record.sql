-- Note that a letter was written.
-- params:  request_id bigint, kind text, sha256 text, file_name text, rest text[], written_at timestamptz
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.request_letter (request_id, kind, sha256, file_name, rest, written_at)
VALUES (:request_id, :kind, :sha256, :file_name, cast(:rest AS text []), :written_at)
