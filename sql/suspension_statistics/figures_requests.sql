-- Which reviews were asked for, how many are open and for how long (M13 to M16, M19)?
-- Ages are in working days: one of the holidays, a Saturday or a Sunday is none.
-- params:  first_day date, next_month date, holidays date[]
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH asked AS (SELECT * FROM month_request WHERE fault IS NULL),

kinds (metric, kind) AS (
    VALUES ('M13', 'human_review'), ('M14', 'contest'), ('M15', 'representation')
),

open_requests AS (
    SELECT
        cast(:next_month AS date) - 1 - asked.day AS days,
        (
            SELECT count(*)
            FROM generate_series( -- in 40 days there are more than ten working days: older ones need no counting
                greatest(asked.day + 1, cast(:next_month AS date) - 40),
                cast(:next_month AS date) - 1,
                interval '1 day'
            ) AS passed (day)
            WHERE extract(ISODOW FROM passed.day) < 6 AND NOT cast(passed.day AS date) = any(cast(:holidays AS date []))
        ) AS working_days
    FROM asked
    WHERE asked.day < :next_month AND (asked.ended_on IS NULL OR asked.ended_on >= :next_month)
),

fully AS (
    SELECT
        decision.number,
        EXISTS (
            SELECT FROM asked
            WHERE asked.case_number = decision.number AND asked.kind IN ('human_review', 'contest')
        ) AS is_asked
    FROM month_decision AS decision
    WHERE decision.fault IS NULL AND decision.automation = 'fully'
)

SELECT
    kinds.metric, basis.basis, 'all' AS dimension, 'all' AS category,
    count(*) FILTER (WHERE asked.kind = kinds.kind) AS n, cast(NULL AS bigint) AS of_n
FROM kinds
CROSS JOIN (VALUES ('decision'), ('event')) AS basis (basis)
LEFT JOIN asked ON CASE basis.basis
    WHEN 'decision' THEN asked.of_month ELSE asked.day >= :first_day AND asked.day < :next_month
END
GROUP BY kinds.metric, basis.basis
UNION ALL
SELECT
    'M13', 'event', 'minutes_to_request', place.category,
    cast(percentile_disc(place.share) WITHIN GROUP (ORDER BY asked.minutes) AS bigint), count(*)
FROM asked CROSS JOIN (VALUES ('median', 0.5), ('p90', 0.9)) AS place (category, share)
WHERE asked.day >= :first_day AND asked.day < :next_month
GROUP BY place.category, place.share
UNION ALL
SELECT 'M16', 'decision', 'all', 'all', count(*) FILTER (WHERE is_asked), count(*) FROM fully
UNION ALL
SELECT
    'M19', 'event', 'age', one.category,
    count(*) FILTER (WHERE open_requests.working_days BETWEEN one.low AND one.high), count(open_requests.days)
FROM (
    VALUES ('up_to_2_working_days', 0, 2), ('3_to_5', 3, 5), ('6_to_10', 6, 10), ('over_10', 11, 1000000)
) AS one (category, low, high)
LEFT JOIN open_requests ON TRUE
GROUP BY one.category
UNION ALL
SELECT 'M19', 'event', 'oldest_in_days', 'all', max(days), count(*) FROM open_requests HAVING count(*) > 0
UNION ALL
SELECT 'M19', 'event', 'flow', one.category, count(*) FILTER (WHERE one.holds), NULL
FROM asked
CROSS JOIN LATERAL (
    VALUES
    ('open_at_the_beginning', asked.day < :first_day),
    ('asked_for', asked.day >= :first_day AND asked.day < :next_month),
    ('decided', asked.day < :next_month AND asked.is_decided AND asked.ended_on < :next_month),
    ('withdrawn', asked.day < :next_month AND asked.outcome = 'withdrawn' AND asked.ended_on < :next_month),
    ('omitted', asked.day < :next_month AND asked.outcome = 'omitted' AND asked.ended_on < :next_month),
    ('open_at_the_end', asked.day < :next_month AND (asked.ended_on IS NULL OR asked.ended_on >= :next_month))
) AS one (category, holds)
GROUP BY one.category
