-- Release a hold. A run that has begun still counts it.
-- params:  hold_id bigint, released_by text
-- returns: hold_id bigint; no row where it is released already
-- locks:   holdfast.hold ROW EXCLUSIVE, and the hold's row
UPDATE holdfast.hold
SET released_at = clock_timestamp(), released_by = :released_by
WHERE hold_id = :hold_id AND released_at IS NULL
RETURNING hold_id
