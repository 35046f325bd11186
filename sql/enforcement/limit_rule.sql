-- Say how many rows enforcement may touch at most under a rule.
-- params:  run_id bigint, rule_id text, limit_rows bigint
-- returns: none
-- locks:   the plan's row
UPDATE holdfast.plan_rule SET limit_rows = :limit_rows WHERE run_id = :run_id AND rule_id = :rule_id
