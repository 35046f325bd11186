-- Which days are complete? Every one of the last two years and a half up to yesterday, with its active accounts.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.suspension_day
INSERT INTO provider.suspension_day (day, individuals, businesses, missed_looked_at, missed_found)
WITH active AS (
    SELECT
        count(*) FILTER (WHERE kind = 'individual') AS individuals,
        count(*) FILTER (WHERE kind = 'business') AS businesses
    FROM provider.account WHERE status <> 'closed'
),

spans AS (
    SELECT cast(:as_of AS timestamptz) AT TIME ZONE 'Europe/London' AS now
)

SELECT
    cast(made.day AS date),
    active.individuals + provider.synthetic_draw(cast(extract(EPOCH FROM made.day) AS bigint), 'people', :seed) % 9,
    active.businesses + provider.synthetic_draw(cast(extract(EPOCH FROM made.day) AS bigint), 'firms', :seed) % 5,
    20,
    CASE WHEN provider.synthetic_draw(cast(extract(EPOCH FROM made.day) AS bigint), 'missed', :seed) % 9 = 0 THEN 1 ELSE 0 END
FROM active CROSS JOIN spans
CROSS JOIN LATERAL generate_series(
    cast(spans.now AS date) - interval '900 days', cast(spans.now AS date) - interval '1 day', interval '1 day'
) AS made (day)
