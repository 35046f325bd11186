-- How many rows of a run are kept encrypted, until when?
-- params:  run_id bigint
-- returns: one row for each day (ends_on date, kept_rows bigint)
-- locks:   none
SELECT
    ends_on,
    cast(sum(kept_rows) AS bigint) AS kept_rows
FROM holdfast.undo_batch
WHERE run_id = :run_id
GROUP BY ends_on
ORDER BY ends_on
