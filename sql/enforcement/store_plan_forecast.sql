-- Store how many rows of a rule will fall due within some days.
-- params:  run_id bigint, rule_id text, within_days integer, rows_due bigint
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.plan_forecast (run_id, rule_id, within_days, rows_due)
VALUES (:run_id, :rule_id, :within_days, :rows_due)
