-- What became of the keys with which a run's deleted rows were kept?
-- params:  run_id bigint
-- returns: one row for each key that is over, or whose rows were brought back (ends_on date, gone_rows bigint,
--          kept_on_rows bigint, destroyed_at timestamptz or NULL: not yet)
-- locks:   none
SELECT
    ends_on,
    gone_rows,
    kept_on_rows,
    destroyed_at
FROM holdfast.undo_end
WHERE run_id = :run_id
ORDER BY ends_on
