-- How many rows of each rule fall due soon, before holds?
-- params:  run_id bigint
-- returns: one row for each rule and horizon; rows_due within 60 days include those within 30
-- locks:   none
SELECT
    rule_id,
    within_days,
    rows_due
FROM holdfast.plan_forecast
WHERE run_id = :run_id
ORDER BY rule_id, within_days
