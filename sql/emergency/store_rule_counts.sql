-- How many records of an extract break each rule?
-- params:  extract_id bigint, rule_ids text[], severities text[], broken bigint[], excepted bigint[]
-- returns: the number of rules
-- locks:   the new rows
INSERT INTO emergency.rule_count (extract_id, rule_id, severity, records, excepted)
SELECT :extract_id, one.rule_id, one.severity, one.broken, one.excepted
FROM unnest(
    cast(:rule_ids AS text []), cast(:severities AS text []), cast(:broken AS bigint []), cast(:excepted AS bigint [])
) AS one (rule_id, severity, broken, excepted)
