-- Why were files of the day refused?
-- params:  day date
-- returns: extract_id, rule_id, reason, line, column_name
-- locks:   none
SELECT found.extract_id, found.rule_id, found.reason, found.line, found.column_name
FROM emergency.file_finding AS found
INNER JOIN emergency.extract ON extract.extract_id = found.extract_id
WHERE cast(extract.arrived_at AT TIME ZONE 'Europe/London' AS date) = :day
ORDER BY found.extract_id, found.rule_id, found.line
