-- Which days of a span had not arrived by a moment?
-- params:  since date, until date, known_until timestamptz
-- returns: day date, in order
-- locks:   none
SELECT cast(span.day AS date) AS day
FROM generate_series(cast(:since AS date), cast(:until AS date) - 1, interval '1 day') AS span (day)
WHERE NOT EXISTS (
    SELECT FROM statistics.day WHERE day.day = cast(span.day AS date) AND day.known_at <= :known_until
)
ORDER BY span.day
