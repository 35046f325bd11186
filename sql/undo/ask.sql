-- Ask to have the rows of a run back.
-- params:  run_id bigint, digest text, kept_rows bigint, asked_by text
-- returns: one row (request_id bigint), or none: exactly this was asked for already
-- locks:   the new row
INSERT INTO holdfast.undo_request (run_id, digest, kept_rows, asked_by)
VALUES (:run_id, :digest, :kept_rows, :asked_by)
ON CONFLICT (run_id, digest) DO NOTHING
RETURNING request_id
