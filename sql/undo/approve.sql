-- Note an approval.
-- params:  request_id bigint, approved_by text
-- returns: one row (approvals integer: with this one)
-- locks:   the row of the request
UPDATE holdfast.undo_request
SET
    first_approved_by = coalesce(first_approved_by, :approved_by),
    second_approved_by = CASE WHEN first_approved_by IS NULL THEN NULL ELSE cast(:approved_by AS text) END
WHERE request_id = :request_id
RETURNING CASE WHEN second_approved_by IS NULL THEN 1 ELSE 2 END AS approvals
