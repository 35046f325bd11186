-- Who has asked to have exactly this back, and who approved it?
-- params:  run_id bigint, digest text
-- returns: one row (request_id, asked_by, first_approved_by, second_approved_by), or none: nobody asked, or it is done
-- locks:   the row for update
SELECT
    request_id,
    asked_by,
    first_approved_by,
    second_approved_by
FROM holdfast.undo_request
WHERE run_id = :run_id AND digest = :digest AND restored_at IS NULL
FOR UPDATE
