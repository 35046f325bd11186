-- Why are decisions of a run's matrix waiting or unknown? Never because of a hold, so each reason may be told.
-- params:  run_id bigint
-- returns: one row for each decision and reason (decision text, reason text, decisions bigint, requests bigint)
-- locks:   none
SELECT decision, reason, count(*) AS decisions, count(DISTINCT request_id) AS requests
FROM holdfast.request_decision
WHERE run_id = :run_id AND decision IN ('waiting', 'unknown')
GROUP BY decision, reason
ORDER BY decision, reason
