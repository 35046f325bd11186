-- Store what verification found for one rule.
-- params:  run_id bigint, rule_id text, survivors bigint, late_rows bigint, held_unchanged boolean
-- returns: none
-- locks:   the plan's row
UPDATE holdfast.plan_rule SET survivors = :survivors, late_rows = :late_rows, held_unchanged = :held_unchanged
WHERE run_id = :run_id AND rule_id = :rule_id
