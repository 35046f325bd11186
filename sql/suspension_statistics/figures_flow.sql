-- How many decisions to suspend were made in the month, of which kind, on how many accounts (M01 to M09)?
-- `n` and `of_n` are counts; of_n is what n is a part of, NULL where it is a part of nothing.
-- params:  repeat_days integer, known_until timestamptz, first_day date, next_month date
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH decided AS (
    SELECT
        *,
        CASE
            WHEN planned_hours IS NULL THEN 'indefinite' ELSE 'finite'
        END AS duration,
        CASE
            WHEN planned_hours IS NULL THEN 'indefinite'
            WHEN planned_hours <= 24 THEN 'up_to_a_day'
            WHEN planned_hours <= 168 THEN 'up_to_7_days'
            WHEN planned_hours <= 720 THEN 'up_to_30_days'
            ELSE 'longer'
        END AS length
    FROM month_decision WHERE fault IS NULL
)

SELECT cut.metric, 'decision' AS basis, cut.dimension, cut.category, count(*) AS n, cast(NULL AS bigint) AS of_n
FROM decided
CROSS JOIN LATERAL (
    VALUES
    ('M01', 'all', 'all'),
    ('M02', 'automation', decided.automation),
    ('M03', 'restriction', decided.restriction),
    ('M03', 'duration', decided.duration),
    ('M03', 'length', decided.length),
    ('M04', 'reason', decided.reason),
    ('M04', 'signal_family', decided.signal_family),
    ('M04', 'product', decided.product),
    ('M05', 'account_kind', decided.account_kind),
    ('M06', 'detection_source', decided.detection_source),
    ('M06', 'detection', decided.detection)
) AS cut (metric, dimension, category)
GROUP BY cut.metric, cut.dimension, cut.category
UNION ALL
SELECT 'M02', 'decision', 'said_fully_but_a_person_acted', 'all', count(*) FILTER (WHERE said_fully AND automation = 'not'), NULL
FROM decided
UNION ALL
SELECT 'M07', 'decision', cut.dimension, cut.category, count(*), NULL
FROM decided CROSS JOIN LATERAL (VALUES ('all', 'all'), ('account_kind', account_kind)) AS cut (dimension, category)
WHERE is_first_in_month
GROUP BY cut.dimension, cut.category
UNION ALL
SELECT 'M08', 'decision', cut.dimension, 'all', count(*) FILTER (WHERE cut.days <= cast(:repeat_days AS integer)), count(*)
FROM decided
CROSS JOIN LATERAL (
    VALUES ('after_any_decision', days_since_previous), ('after_an_overturned_one', days_since_overturned)
) AS cut (dimension, days)
GROUP BY cut.dimension
UNION ALL
SELECT
    'M09', 'decision', 'all', 'all', (SELECT count(*) FROM decided WHERE is_first_in_month),
    cast(sum(days.individuals + days.businesses) AS bigint)
FROM statistics.days(:known_until) AS days
WHERE days.day >= :first_day AND days.day < :next_month
