-- Remove what was counted by rule, before an extract is judged again.
-- params:  extract_id bigint
-- returns: the number of rows removed
-- locks:   the removed rows
DELETE FROM emergency.rule_count WHERE extract_id = :extract_id
