-- How many requests came in and came to an end, week by week, and how many were open when it was over?
-- params:  zone text, until date, weeks integer
-- returns: one row for each of the last weeks, the week of `until` included (week date: its Monday; received,
--          completed, partly_completed, refused, withdrawn, open_at_end bigint), oldest first
-- locks:   none
WITH happened AS (
    SELECT
        cast(date_trunc('week', timezone(cast(:zone AS text), received_at)) AS date) AS week,
        'received' AS what,
        1 AS opened
    FROM holdfast.deletion_request
    UNION ALL
    SELECT
        cast(date_trunc('week', timezone(cast(:zone AS text), at)) AS date),
        to_state,
        CASE WHEN to_state = 'partly_completed' THEN 0 ELSE -1 END
    FROM holdfast.request_transition
    WHERE to_state IN ('completed', 'partly_completed', 'refused', 'withdrawn')
),

by_week AS (
    SELECT
        week,
        count(*) FILTER (WHERE what = 'received') AS received,
        count(*) FILTER (WHERE what = 'completed') AS completed,
        count(*) FILTER (WHERE what = 'partly_completed') AS partly_completed,
        count(*) FILTER (WHERE what = 'refused') AS refused,
        count(*) FILTER (WHERE what = 'withdrawn') AS withdrawn,
        sum(opened) AS opened
    FROM happened
    GROUP BY week
),

shown AS (
    SELECT cast(date_trunc('week', cast(:until AS date)) AS date) - 7 * back.weeks AS week
    FROM generate_series(0, cast(:weeks AS integer) - 1) AS back (weeks)
)

SELECT
    shown.week,
    coalesce(by_week.received, 0) AS received,
    coalesce(by_week.completed, 0) AS completed,
    coalesce(by_week.partly_completed, 0) AS partly_completed,
    coalesce(by_week.refused, 0) AS refused,
    coalesce(by_week.withdrawn, 0) AS withdrawn,
    cast((
        SELECT coalesce(sum(until_then.opened), 0) FROM by_week AS until_then WHERE until_then.week <= shown.week
    ) AS bigint) AS open_at_end
FROM shown
LEFT JOIN by_week ON shown.week = by_week.week
ORDER BY shown.week
