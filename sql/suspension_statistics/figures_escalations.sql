-- Which complaints about decisions were made, and which went further, in the month (M37 to M39)?
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
SELECT
    CASE escalation.kind WHEN 'complaint' THEN 'M37' WHEN 'adr' THEN 'M38' ELSE 'M39' END AS metric,
    'event' AS basis, 'kind' AS dimension, escalation.kind AS category, count(*) AS n, cast(NULL AS bigint) AS of_n
FROM statistics.escalations(:known_until) AS escalation
INNER JOIN statistics.decisions(:known_until) AS decision ON decision.number = escalation.case_number
WHERE
    escalation.day >= :first_day AND escalation.day < :next_month AND escalation.minutes >= 0
    AND decision.fault IS NULL AND escalation.kind IN ('complaint', 'adr', 'ico', 'court')
GROUP BY escalation.kind
