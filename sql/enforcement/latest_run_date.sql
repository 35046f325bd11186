-- Up to which day has this job been enforced or tried? A run for a day that has not come, which a wrong clock made, counts
-- only if it began to change rows.
-- params:  job text, today date
-- returns: one row (as_of_date, NULL if never)
-- locks:   none
SELECT max(as_of_date) AS as_of_date
FROM holdfast.run
WHERE
    job = :job
    AND mode = 'enforce'
    AND (as_of_date <= :today OR EXISTS (SELECT FROM holdfast.shard WHERE shard.run_id = run.run_id))
