-- Which plans of a job are the latest?
-- params:  job text, plans bigint
-- returns: one row for each run that has a plan, dry runs among them, the latest first (run_id, as_of_date, mode, state,
--          opened_at)
-- locks:   none
SELECT run.run_id, run.as_of_date, run.mode, run.state, run.opened_at
FROM holdfast.run
WHERE run.job = :job AND run.plan_digest IS NOT NULL
ORDER BY run.run_id DESC
LIMIT :plans
