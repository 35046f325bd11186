-- Who decided on the plans of this run, and when?
-- params:  run_id bigint
-- returns: one row for each decision
-- locks:   none
SELECT
    plan_digest,
    decision,
    decided_by,
    decided_at
FROM holdfast.approval
WHERE run_id = :run_id
ORDER BY decided_at, plan_digest
