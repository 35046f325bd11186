-- How many rejects are open, how many for too long, and why were they rejected?
-- params:  alert_before timestamptz
-- returns: code, rejects, too_long, oldest
-- locks:   none
SELECT
    code, count(*) AS rejects, count(*) FILTER (WHERE rejected_at < :alert_before) AS too_long,
    min(rejected_at) AS oldest
FROM emergency.reject
WHERE ended_at IS NULL
GROUP BY code
ORDER BY code
