-- What did the run plan for each rule, and how much of it is done?
-- params:  run_id bigint
-- returns: one row for each rule of the plan; acted_rows are the rows deleted or anonymised so far
-- locks:   none
SELECT
    plan.rule_id,
    plan.dataset,
    plan.action,
    plan.total_rows,
    plan.due_rows,
    plan.held_rows,
    plan.refused_rows,
    plan.waiting_rows,
    plan.unknown_rows,
    plan.oldest_due,
    plan.oldest_overdue_days,
    plan.held_unchanged,
    plan.cap_rows,
    plan.cap_share,
    plan.cap_overdue_days,
    plan.caps_exceeded,
    plan.survivors,
    plan.late_rows,
    coalesce(progress.acted_rows, 0) AS acted_rows,
    coalesce(progress.shards, 0) AS shards,
    coalesce(progress.finished_shards, 0) AS finished_shards
FROM holdfast.plan_rule AS plan
LEFT JOIN (
    SELECT
        rule_id,
        cast(sum(done_rows) AS bigint) AS acted_rows,
        count(*) AS shards,
        count(finished_at) AS finished_shards
    FROM holdfast.shard
    WHERE run_id = :run_id
    GROUP BY rule_id
) AS progress ON progress.rule_id = plan.rule_id
WHERE plan.run_id = :run_id
ORDER BY plan.dataset, plan.rule_id
