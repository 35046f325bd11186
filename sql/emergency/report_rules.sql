-- How many records of the day's extracts broke each rule?
-- params:  day date
-- returns: rule_id, severity, broken, excepted
-- locks:   none
SELECT
    counted.rule_id, counted.severity,
    cast(sum(counted.records) AS bigint) AS broken, cast(sum(counted.excepted) AS bigint) AS excepted
FROM emergency.rule_count AS counted
INNER JOIN emergency.extract ON extract.extract_id = counted.extract_id
WHERE cast(extract.arrived_at AT TIME ZONE 'Europe/London' AS date) = :day OR extract.state = 'waiting'
GROUP BY counted.rule_id, counted.severity
ORDER BY counted.rule_id
