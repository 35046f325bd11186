-- Were suspended customers told, how soon, and was a review offered (M10 to M12)?
-- params:  none
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH decided AS (
    SELECT
        decision.not_told_because, notice.minutes, notice.offers_review,
        CASE
            WHEN notice.case_number IS NOT NULL THEN 'told'
            WHEN decision.not_told_because IS NOT NULL THEN 'exempt'
            ELSE 'not_told'
        END AS told
    FROM month_decision AS decision
    LEFT JOIN month_notice AS notice ON notice.case_number = decision.number
    WHERE decision.fault IS NULL
)

SELECT
    'M10' AS metric, 'decision' AS basis, 'told' AS dimension, one.category,
    count(*) FILTER (WHERE decided.told = one.category) AS n, count(*) AS of_n
FROM decided CROSS JOIN (VALUES ('told'), ('not_told'), ('exempt')) AS one (category)
GROUP BY one.category
UNION ALL
SELECT 'M10', 'decision', 'review_offered', 'all', count(*) FILTER (WHERE offers_review), count(*)
FROM decided WHERE told = 'told'
UNION ALL
SELECT
    'M11', 'decision', 'minutes_to_notice', place.category,
    cast(percentile_disc(place.share) WITHIN GROUP (ORDER BY decided.minutes) AS bigint), count(*)
FROM decided CROSS JOIN (VALUES ('median', 0.5), ('p90', 0.9), ('p95', 0.95)) AS place (category, share)
WHERE decided.told = 'told'
GROUP BY place.category, place.share
UNION ALL
SELECT 'M12', 'decision', 'ground', not_told_because, count(*), NULL
FROM decided WHERE told = 'exempt'
GROUP BY not_told_because
