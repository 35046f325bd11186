-- How many records stand rejected, by the last code that they were given, and since when? A record that was sent again and
-- rejected again counts once, from its first reject.
-- params:  at timestamptz, alert_before timestamptz
-- returns: code, rejects, again (of these, rejected more than once), up_to_a_day, in_time, too_long, oldest
-- locks:   none
WITH standing AS (
    SELECT
        provider, number, min(rejected_at) AS since, count(*) AS times,
        (array_agg(code ORDER BY sequence DESC))[1] AS code
    FROM emergency.reject
    WHERE ended_at IS NULL
    GROUP BY provider, number
)

SELECT
    code, count(*) AS rejects,
    count(*) FILTER (WHERE times > 1) AS again,
    count(*) FILTER (WHERE since >= :alert_before AND since > :at - interval '1 day') AS up_to_a_day,
    count(*) FILTER (WHERE since >= :alert_before AND since <= :at - interval '1 day') AS in_time,
    count(*) FILTER (WHERE since < :alert_before) AS too_long,
    min(since) AS oldest
FROM standing
GROUP BY code
ORDER BY code
