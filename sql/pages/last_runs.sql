-- Which run of each job was opened last, whatever became of it?
-- params:  none
-- returns: one row for each job (job text, run_id bigint, as_of_date date, state text, opened_at timestamptz)
-- locks:   none
SELECT DISTINCT ON (job)
    job,
    run_id,
    as_of_date,
    state,
    opened_at
FROM holdfast.run
WHERE mode = 'enforce'
ORDER BY job ASC, run_id DESC
