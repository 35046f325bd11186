-- Note that the file of a key was destroyed.
-- params:  run_id bigint, ends_on date, destroyed_in bigint
-- returns: one row (gone_rows bigint, kept_on_rows bigint), or none: another attempt has noted it
-- locks:   the row of that key
UPDATE holdfast.undo_end
SET destroyed_at = clock_timestamp(), destroyed_in = :destroyed_in
WHERE run_id = :run_id AND ends_on = :ends_on AND destroyed_at IS NULL
RETURNING gone_rows, kept_on_rows
