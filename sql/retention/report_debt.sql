-- Since which night has each rule had rows past their period that were kept, night after night without a break?
-- params:  run_id bigint
-- returns: one row for each rule that keeps such rows in this run (rule_id, kept_since)
-- locks:   none
WITH this AS (
    SELECT
        run_id,
        job,
        as_of_date
    FROM holdfast.run
    WHERE run_id = :run_id
),

nights AS (
    SELECT
        plan.rule_id,
        run.as_of_date,
        bool_or(plan.held_rows + plan.refused_rows + plan.waiting_rows > 0) AS keeps
    FROM this
    INNER JOIN holdfast.run ON run.job = this.job AND run.as_of_date <= this.as_of_date
    INNER JOIN holdfast.plan_rule AS plan ON plan.run_id = run.run_id
    WHERE run.mode = 'enforce' OR run.run_id = this.run_id
    GROUP BY plan.rule_id, run.as_of_date
),

last_clear AS (
    SELECT
        rule_id,
        max(as_of_date) FILTER (WHERE NOT keeps) AS as_of_date
    FROM nights
    GROUP BY rule_id
)

SELECT
    nights.rule_id,
    min(nights.as_of_date) AS kept_since
FROM nights
INNER JOIN last_clear ON last_clear.rule_id = nights.rule_id
WHERE last_clear.as_of_date IS NULL OR nights.as_of_date > last_clear.as_of_date
GROUP BY nights.rule_id
ORDER BY nights.rule_id
