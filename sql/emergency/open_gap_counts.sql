-- How many gaps are open?
-- params:  none
-- returns: rule_id, gaps
-- locks:   none
SELECT rule_id, count(*) AS gaps
FROM emergency.gap
WHERE closed_at IS NULL
GROUP BY rule_id
ORDER BY rule_id
