-- How did reviews end, how long did they take, and did service come back (M18, M20 to M26)?
-- A review that ended in the month is counted by the month of the event; one of a decision of the month, whenever it
-- ended, by the month of the decision. Working days are those after the day of the request.
-- params:  first_day date, next_month date, known_until timestamptz, holidays date[], review_working_days integer
-- returns: one row for each figure (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH asked AS (SELECT * FROM month_request WHERE fault IS NULL),

based AS (
    SELECT 'decision' AS basis, asked.* FROM asked WHERE asked.of_month
    UNION ALL
    SELECT 'event' AS basis, asked.* FROM asked WHERE asked.ended_on >= :first_day AND asked.ended_on < :next_month
),

timely AS (
    SELECT
        (
            SELECT count(*)
            FROM generate_series(based.day + 1, based.ended_on, interval '1 day') AS passed (day)
            WHERE extract(ISODOW FROM passed.day) < 6 AND NOT cast(passed.day AS date) = any(cast(:holidays AS date []))
        ) <= cast(:review_working_days AS integer) AS in_time
    FROM based WHERE based.basis = 'event' AND based.is_decided
),

bases (basis) AS (VALUES ('decision'), ('event'))

SELECT
    'M18' AS metric, bases.basis, 'all' AS dimension, 'all' AS category,
    count(*) FILTER (WHERE based.is_decided) AS n, cast(NULL AS bigint) AS of_n
FROM bases LEFT JOIN based ON based.basis = bases.basis
GROUP BY bases.basis
UNION ALL
SELECT
    'M20', 'event', 'minutes_to_decision', place.category,
    cast(percentile_disc(place.share) WITHIN GROUP (ORDER BY based.ended_minutes) AS bigint), count(*)
FROM based CROSS JOIN (VALUES ('median', 0.5), ('p90', 0.9)) AS place (category, share)
WHERE based.basis = 'event' AND based.is_decided
GROUP BY place.category, place.share
UNION ALL
SELECT 'M21', 'event', 'all', 'all', count(*) FILTER (WHERE in_time), count(*) FROM timely
UNION ALL
SELECT 'M22', based.basis, 'outcome', coalesce(based.outcome, 'pending'), count(*), NULL
FROM based
GROUP BY based.basis, coalesce(based.outcome, 'pending')
UNION ALL
SELECT
    'M23', bases.basis, 'all', one.category,
    count(*) FILTER (WHERE based.outcome IN ('overturned', 'varied')),
    count(*) FILTER (WHERE based.is_decided OR (one.category = 'of_all_ended_or_open' AND based.number IS NOT NULL))
FROM bases
CROSS JOIN (VALUES ('of_decided'), ('of_all_ended_or_open')) AS one (category)
LEFT JOIN based ON based.basis = bases.basis
GROUP BY bases.basis, one.category
UNION ALL
SELECT
    'M23', based.basis, 'signal_family', based.signal_family,
    count(*) FILTER (WHERE based.outcome IN ('overturned', 'varied')), count(*)
FROM based WHERE based.is_decided
GROUP BY based.basis, based.signal_family
UNION ALL
SELECT 'M24', 'event', 'all', 'all', count(*), NULL
FROM month_restoration AS restoration
WHERE
    restoration.cause = 'own_correction' AND restoration.day >= :first_day AND restoration.day < :next_month
    AND NOT EXISTS (
        SELECT FROM statistics.requests(:known_until) AS request WHERE request.case_number = restoration.case_number
    )
UNION ALL
SELECT
    'M25', bases.basis, 'minutes_wrongly_suspended', 'median',
    cast(percentile_disc(0.5) WITHIN GROUP (ORDER BY restoration.minutes) AS bigint), count(*)
FROM bases
INNER JOIN month_restoration AS restoration ON CASE bases.basis
    WHEN 'decision' THEN restoration.of_month
    ELSE restoration.day >= :first_day AND restoration.day < :next_month
END
WHERE restoration.cause = 'review'
GROUP BY bases.basis
UNION ALL
SELECT
    'M26', 'event', 'all', 'all',
    count(*) FILTER (
        WHERE restoration.minutes - based.minutes - based.ended_minutes <= 1440
    ), count(*)
FROM based
LEFT JOIN month_restoration AS restoration ON restoration.case_number = based.case_number
WHERE based.basis = 'event' AND based.outcome = 'overturned'
