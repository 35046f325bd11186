-- Which types of hold keep how many rows of each rule, and until when?
-- params:  run_id bigint
-- returns: one row for each rule and hold type; a row under two types counts under each
-- locks:   none
SELECT
    rule_id,
    hold_type,
    authority,
    disclosable,
    held_rows,
    held_until,
    holds
FROM holdfast.plan_held
WHERE run_id = :run_id
ORDER BY rule_id, hold_type
