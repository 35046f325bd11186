-- Of which runs were keys of undo windows destroyed in this one?
-- params:  run_id bigint
-- returns: one row for each (of_run bigint, ends_on date, gone_rows bigint, kept_on_rows bigint, destroyed_at timestamptz)
-- locks:   none
SELECT
    run_id AS of_run,
    ends_on,
    gone_rows,
    kept_on_rows,
    destroyed_at
FROM holdfast.undo_end
WHERE destroyed_in = :run_id
ORDER BY ends_on, run_id
