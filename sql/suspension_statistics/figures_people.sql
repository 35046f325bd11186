-- Was a person meaningfully involved in reviews that were decided in the month (M34 to M36)?
-- A reviewer with fewer than least_reviews is in no band: too few to say anything.
-- params:  first_day date, next_month date, least_reviews integer, stamp_share numeric, stamp_seconds integer
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH decided AS (
    SELECT * FROM month_request
    WHERE fault IS NULL AND is_decided AND ended_on >= :first_day AND ended_on < :next_month
),

reviewers AS (
    SELECT
        reviewer_number,
        count(*) FILTER (WHERE outcome IN ('overturned', 'varied')) AS overturned,
        count(*) AS reviews,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_spent) AS seconds
    FROM decided WHERE reviewer_number IS NOT NULL
    GROUP BY reviewer_number
    HAVING count(*) >= cast(:least_reviews AS integer)
),

bands (category, low, high) AS (
    VALUES
    ('none', -1, 0), ('up_to_10_percent', 0, 10), ('up_to_25_percent', 10, 25), ('up_to_50_percent', 25, 50),
    ('over_50_percent', 50, 100)
)

SELECT
    'M34' AS metric, 'event' AS basis, 'seconds_spent' AS dimension, 'median' AS category,
    cast(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_spent) AS bigint) AS n, count(seconds_spent) AS of_n
FROM decided HAVING count(seconds_spent) > 0
UNION ALL
SELECT 'M34', 'event', 'evidence_viewed', 'all', count(*) FILTER (WHERE evidence_viewed), count(evidence_viewed) FROM decided
UNION ALL
SELECT
    'M35', 'event', 'all', 'all', count(*) FILTER (WHERE NOT reviewer_is_decider), count(reviewer_is_decider)
FROM decided
UNION ALL
SELECT
    'M36', 'event', 'rubber_stamps', 'all',
    count(*) FILTER (
        WHERE
            reviews - overturned >= cast(:stamp_share AS numeric) * reviews
            AND seconds < cast(:stamp_seconds AS integer)
    ), count(*)
FROM reviewers
UNION ALL
SELECT
    'M36', 'event', 'reviewers_by_share_overturned', bands.category,
    count(*) FILTER (
        WHERE 100 * reviewers.overturned > bands.low * reviewers.reviews
            AND 100 * reviewers.overturned <= bands.high * reviewers.reviews
    ), count(reviewers.reviews)
FROM bands LEFT JOIN reviewers ON TRUE
GROUP BY bands.category
