-- What was deleted and is still kept encrypted, as it is now, and until when?
-- params:  run_id bigint
-- returns: one row for each dataset, rule and reason (dataset text, rule_id text, why text: window, held or unknown,
--          kept_rows bigint, first_gone_by date, last_end date), of all runs
-- locks:   none
SELECT
    batch.dataset,
    batch.rule_id,
    CASE WHEN batch.ends_on <= run.as_of_date THEN 'unknown' ELSE batch.why END AS why,
    cast(sum(batch.kept_rows) AS bigint) AS kept_rows,
    min(batch.gone_by) AS first_gone_by,
    max(batch.ends_on) AS last_end
FROM holdfast.undo_batch AS batch
CROSS JOIN holdfast.run
WHERE run.run_id = :run_id
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
