-- Which facts of frozen months became known, or were put right, after what the latest version was made of?
-- By the day of the fact itself: what happened later, such as a review decided in another month, is no late fact.
-- params:  since date
-- returns: one row for each month that has any (month date, facts bigint), in order
-- locks:   none
WITH latest AS (
    SELECT DISTINCT ON (month) month, cast(month + interval '1 month' AS date) AS next_month, known_until
    FROM statistics.version
    WHERE month >= :since
    ORDER BY month ASC, version DESC
),

late AS (
    SELECT latest.month, fact.number
    FROM latest
    CROSS JOIN LATERAL (
        SELECT number FROM statistics.decision
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.notice
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.request
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.ending
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.restoration
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.escalation
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL
        SELECT number FROM statistics.check
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
        UNION ALL -- a day has no number: each is one fact, told apart from the others by a negative one
        SELECT -extract(DAY FROM day) FROM statistics.day
        WHERE day >= latest.month AND day < latest.next_month AND greatest(known_at, superseded_at) > latest.known_until
    ) AS fact
)

SELECT month, count(DISTINCT number) AS facts FROM late GROUP BY month ORDER BY month
