-- How many requests came in and came to an end, week by week, and how many were open when it was over?
--
-- Counted back from those that are open now, so that it takes as long however many there ever were.
-- params:  zone text, until date, weeks integer
-- returns: one row for each of the last weeks, the week of `until` included (week date: its Monday; received,
--          completed, partly_completed, refused, withdrawn, open_at_end bigint), oldest first
-- locks:   none
WITH shown AS (
    SELECT cast(date_trunc('week', cast(:until AS date)) AS date) - 7 * back.weeks AS week
    FROM generate_series(0, cast(:weeks AS integer) - 1) AS back (weeks)
),

since AS MATERIALIZED (
    SELECT timezone(cast(:zone AS text), cast(min(week) AS timestamp)) AS moment FROM shown
),

happened AS (
    SELECT
        cast(date_trunc('week', timezone(cast(:zone AS text), received_at)) AS date) AS week,
        'received' AS what,
        1 AS opened
    FROM holdfast.deletion_request
    WHERE received_at >= (SELECT moment FROM since)
    UNION ALL
    SELECT
        cast(date_trunc('week', timezone(cast(:zone AS text), at)) AS date),
        to_state,
        CASE WHEN to_state <> 'partly_completed' THEN -1 WHEN from_state = 'completed' THEN 1 ELSE 0 END
    FROM holdfast.request_transition
    WHERE
        to_state IN ('completed', 'partly_completed', 'refused', 'withdrawn') AND at >= (SELECT moment FROM since)
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

now AS (
    SELECT count(*) AS still_open FROM holdfast.deletion_request WHERE closed_at IS NULL
)

SELECT
    shown.week,
    coalesce(by_week.received, 0) AS received,
    coalesce(by_week.completed, 0) AS completed,
    coalesce(by_week.partly_completed, 0) AS partly_completed,
    coalesce(by_week.refused, 0) AS refused,
    coalesce(by_week.withdrawn, 0) AS withdrawn,
    cast(now.still_open - (
        SELECT coalesce(sum(since_then.opened), 0) FROM by_week AS since_then WHERE since_then.week > shown.week
    ) AS bigint) AS open_at_end
FROM shown
CROSS JOIN now
LEFT JOIN by_week ON shown.week = by_week.week
ORDER BY shown.week
