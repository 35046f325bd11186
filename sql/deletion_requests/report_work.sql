-- How did the work of a run go: planned, done, and found again afterwards?
-- params:  run_id bigint
-- returns: one row (plans bigint, due, done, late bigint; survivors bigint, NULL: not counted; over_cap bigint:
--          datasets; has_changed boolean: held rows were not as before)
-- locks:   none
SELECT
    count(*) AS plans,
    cast(coalesce(sum(plan.due_rows), 0) AS bigint) AS due,
    cast((
        SELECT coalesce(sum(shard.done_rows), 0) FROM holdfast.shard WHERE shard.run_id = :run_id
    ) AS bigint) AS done,
    cast(coalesce(sum(plan.late_rows), 0) AS bigint) AS late,
    CASE WHEN count(*) = count(plan.survivors) THEN cast(coalesce(sum(plan.survivors), 0) AS bigint) END AS survivors,
    count(*) FILTER (WHERE plan.caps_exceeded <> '{}') AS over_cap,
    coalesce(bool_or(plan.held_unchanged IS FALSE), FALSE) AS has_changed
FROM holdfast.plan_rule AS plan
WHERE plan.run_id = :run_id
