-- How many decisions of each kind does a run's matrix have?
-- params:  run_id bigint
-- returns: one row for each decision (decision, decisions)
-- locks:   none
SELECT decision, count(*) AS decisions
FROM holdfast.request_decision
WHERE run_id = :run_id
GROUP BY decision
ORDER BY decision
