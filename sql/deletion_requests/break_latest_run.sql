-- Which run's matrix is the latest?
-- params:  none
-- returns: one row (run_id bigint); NULL if there is none
-- locks:   none
SELECT max(decision.run_id) AS run_id
FROM holdfast.request_decision AS decision
INNER JOIN holdfast.run ON decision.run_id = run.run_id
WHERE run.mode = 'enforce'
