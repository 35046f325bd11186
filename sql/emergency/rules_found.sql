-- How many records of an extract break each rule, those with an exception counted as well?
-- params:  extract_id bigint
-- returns: rule_id, records
-- locks:   none
SELECT rule_id, records + excepted AS records
FROM emergency.rule_count
WHERE extract_id = :extract_id
