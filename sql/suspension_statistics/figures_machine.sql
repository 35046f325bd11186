-- How good are the machine's decisions, and whom do they meet (M17, M27 to M33, M40 to M42)?
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH decided AS (SELECT * FROM month_decision WHERE fault IS NULL),

fully AS (
    SELECT
        decided.*,
        EXISTS (
            SELECT FROM month_request AS asked
            WHERE
                asked.case_number = decided.number AND asked.fault IS NULL
                AND asked.outcome IN ('overturned', 'varied')
        ) AS is_overturned
    FROM decided WHERE decided.automation = 'fully'
),

checked AS (
    SELECT decision.automation, decision.signal_family, checks.was_right
    FROM statistics.checks(:known_until) AS checks
    INNER JOIN statistics.decisions(:known_until) AS decision ON decision.number = checks.case_number
    WHERE
        checks.day >= :first_day AND checks.day < :next_month AND checks.minutes >= 0 AND decision.fault IS NULL
),

reviewed AS (
    SELECT cut.dimension, cut.category, asked.outcome IN ('overturned', 'varied') AS is_overturned
    FROM month_request AS asked
    CROSS JOIN LATERAL (
        VALUES
        ('overturned_by_region', asked.region), ('overturned_by_account_age', asked.account_age),
        ('overturned_by_account_kind', asked.account_kind)
    ) AS cut (dimension, category)
    WHERE asked.fault IS NULL AND asked.of_month AND asked.is_decided
)

SELECT 'M17' AS metric, 'event' AS basis, 'all' AS dimension, 'all' AS category, count(*) AS n, cast(NULL AS bigint) AS of_n
FROM checked
UNION ALL
SELECT
    one.metric, 'event', cut.dimension, cut.category,
    count(*) FILTER (WHERE checked.was_right = one.right), count(*)
FROM checked
CROSS JOIN (VALUES ('M27', TRUE), ('M28', FALSE)) AS one (metric, "right")
CROSS JOIN LATERAL (
    VALUES ('all', 'all'), ('signal_family', checked.signal_family)
) AS cut (dimension, category)
WHERE checked.automation = 'fully' AND checked.was_right IS NOT NULL
GROUP BY one.metric, cut.dimension, cut.category
UNION ALL
SELECT 'M29', 'decision', cut.dimension, cut.category, count(*) FILTER (WHERE fully.is_overturned), count(*)
FROM fully
CROSS JOIN LATERAL (
    VALUES ('all', 'all'), ('signal_family', fully.signal_family)
) AS cut (dimension, category)
GROUP BY cut.dimension, cut.category
UNION ALL
SELECT 'M30', 'event', 'all', 'all', cast(sum(missed_found) AS bigint), cast(sum(missed_looked_at) AS bigint)
FROM statistics.days(:known_until) AS days
WHERE days.day >= :first_day AND days.day < :next_month AND days.missed_looked_at IS NOT NULL
HAVING count(*) > 0
UNION ALL
SELECT
    'M31', 'decision', 'rule_version', coalesce(rule_version, 'not_recorded'), count(*),
    cast(sum(count(*)) OVER () AS bigint)
FROM fully
GROUP BY coalesce(rule_version, 'not_recorded')
UNION ALL
SELECT 'M32', 'decision', cut.dimension, cut.category, count(*), cast(sum(count(*)) OVER (PARTITION BY cut.dimension) AS bigint)
FROM decided
CROSS JOIN LATERAL (
    VALUES ('region', decided.region), ('account_age', decided.account_age), ('account_kind', decided.account_kind)
) AS cut (dimension, category)
GROUP BY cut.dimension, cut.category
UNION ALL
SELECT 'M32', 'decision', dimension, category, count(*) FILTER (WHERE is_overturned), count(*)
FROM reviewed
GROUP BY dimension, category
UNION ALL
SELECT
    'M33', 'decision', 'all', 'all', count(*) FILTER (WHERE person_changed), count(*) FILTER (WHERE person_changed IS NOT NULL)
FROM decided WHERE automation = 'partially'
UNION ALL
SELECT 'M40', 'decision', 'all', 'all', count(*) FILTER (WHERE lawful_basis = 'recognised_legitimate_interests'), count(*)
FROM fully
UNION ALL
SELECT 'M41', 'decision', 'all', 'all', count(*) FILTER (WHERE uses_special_category), count(*)
FROM decided
UNION ALL
SELECT 'M42', 'decision', 'missing', one.category, count(*) FILTER (WHERE one.is_missing), count(*)
FROM decided
CROSS JOIN LATERAL (
    VALUES
    ('lawful_basis', decided.lawful_basis IS NULL), ('rule_version', decided.rule_version IS NULL),
    ('reasons', NOT decided.has_reasons)
) AS one (category, is_missing)
GROUP BY one.category
