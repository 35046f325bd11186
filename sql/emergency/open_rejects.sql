-- How many rejects are open, why were they rejected, and how old are they?
-- params:  at timestamptz, alert_before timestamptz
-- returns: code, rejects, up_to_a_day, in_time, too_long, oldest
-- locks:   none
SELECT
    code, count(*) AS rejects,
    count(*) FILTER (WHERE rejected_at >= :alert_before AND rejected_at > :at - interval '1 day') AS up_to_a_day,
    count(*) FILTER (WHERE rejected_at >= :alert_before AND rejected_at <= :at - interval '1 day') AS in_time,
    count(*) FILTER (WHERE rejected_at < :alert_before) AS too_long,
    min(rejected_at) AS oldest
FROM emergency.reject
WHERE ended_at IS NULL
GROUP BY code
ORDER BY code
