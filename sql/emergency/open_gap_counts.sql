-- How many gaps are open, and since when is the oldest?
-- params:  provider text
-- returns: rule_id, gaps, oldest
-- locks:   none
SELECT rule_id, count(*) AS gaps, min(opened_at) AS oldest
FROM emergency.gap
WHERE provider = :provider AND closed_at IS NULL
GROUP BY rule_id
ORDER BY rule_id
