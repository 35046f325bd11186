-- What was planned, approved and sealed in a run, without the names of people?
-- params:  run_id bigint
-- returns: one row (run); none if there is no such run
-- locks:   none
SELECT
    jsonb_build_object(
        'run', to_jsonb(run),
        'plan', (
            SELECT coalesce(jsonb_agg(to_jsonb(rule) ORDER BY rule.wave, rule.rule_id), '[]'::jsonb)
            FROM holdfast.plan_rule AS rule
            WHERE rule.run_id = run.run_id
        ),
        'approvals', (
            SELECT coalesce(jsonb_agg(to_jsonb(approval) - 'decided_by' ORDER BY approval.decided_at), '[]'::jsonb)
            FROM holdfast.approval
            WHERE approval.run_id = run.run_id
        ),
        'datasets', (
            SELECT coalesce(jsonb_agg(to_jsonb(dataset) ORDER BY dataset.dataset), '[]'::jsonb)
            FROM holdfast.dataset_count AS dataset
            WHERE dataset.run_id = run.run_id
        )
    ) AS run
FROM holdfast.run
WHERE run.run_id = :run_id
