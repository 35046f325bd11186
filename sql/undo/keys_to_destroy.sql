-- Which keys are over, and nothing is encrypted with them any more?
-- params:  as_of date
-- returns: one row for each (run_id bigint, ends_on date)
-- locks:   none
SELECT
    ended.run_id,
    ended.ends_on
FROM holdfast.undo_end AS ended
WHERE
    ended.destroyed_at IS NULL
    AND ended.ends_on <= :as_of
    AND NOT EXISTS (
        SELECT
        FROM holdfast.undo_batch AS batch
        WHERE batch.run_id = ended.run_id AND batch.ends_on = ended.ends_on
    )
ORDER BY ended.ends_on, ended.run_id
