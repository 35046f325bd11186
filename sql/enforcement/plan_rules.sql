-- What did the plan find, rule by rule?
-- params:  run_id bigint
-- returns: one row for each rule (all columns of plan_rule)
-- locks:   none
SELECT * FROM holdfast.plan_rule WHERE run_id = :run_id ORDER BY wave, rule_id
