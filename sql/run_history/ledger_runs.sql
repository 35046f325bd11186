-- How far did each run come, by our own account?
-- params:  since date
-- returns: rows (run_id, job, night, state, opened_at, done, answers), oldest first; done names what is over, by task
-- locks:   none
SELECT
    run.run_id,
    run.job,
    run.as_of_date AS night,
    run.state,
    run.opened_at,
    array_remove(
        ARRAY[
            CASE WHEN run.plan_digest IS NOT NULL THEN 'make_plan' END,
            CASE WHEN shards.are_finished THEN 'enforce_shards' END,
            CASE WHEN run.state IN ('verified', 'sealed') THEN 'verify_run' END,
            CASE WHEN ledger_seal.run_id IS NOT NULL THEN 'seal_run' END
        ],
        NULL
    ) AS done,
    ARRAY(
        SELECT DISTINCT approval.decision
        FROM holdfast.approval
        WHERE approval.run_id = run.run_id
        ORDER BY approval.decision
    ) AS answers
FROM holdfast.run
LEFT JOIN holdfast.ledger_seal ON ledger_seal.run_id = run.run_id
LEFT JOIN (
    SELECT
        shard.run_id,
        bool_and(shard.finished_at IS NOT NULL) AS are_finished
    FROM holdfast.shard
    GROUP BY shard.run_id
) AS shards ON shards.run_id = run.run_id
WHERE run.mode = 'enforce' AND run.as_of_date >= :since
ORDER BY run.run_id
