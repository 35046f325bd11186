-- Which run's matrix is the latest?
-- params:  none
-- returns: at most one row (run_id bigint)
-- locks:   none
SELECT run.run_id
FROM holdfast.run
WHERE run.mode = 'enforce' AND EXISTS (SELECT FROM holdfast.request_decision AS made WHERE made.run_id = run.run_id)
ORDER BY run.run_id DESC
LIMIT 1
