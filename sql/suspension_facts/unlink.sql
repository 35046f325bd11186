-- Which links lead to records of decisions made before a day, or to facts without a decision from before it? They go.
-- params:  before date
-- returns: the number of links
-- locks:   those rows of statistics.link
WITH events AS (
    SELECT number, case_number, day FROM statistics.notice
    UNION ALL
    SELECT number, case_number, day FROM statistics.request
    UNION ALL
    SELECT number, case_number, day FROM statistics.ending
    UNION ALL
    SELECT number, case_number, day FROM statistics.restoration
    UNION ALL
    SELECT number, case_number, day FROM statistics.escalation
    UNION ALL
    SELECT number, case_number, day FROM statistics.check
),

old AS (
    SELECT number FROM statistics.decision WHERE day < :before
    UNION
    SELECT events.number
    FROM events
    LEFT JOIN statistics.decision ON decision.number = events.case_number
    WHERE coalesce(decision.day, events.day) < :before
    UNION
    SELECT reviewer_number FROM statistics.ending WHERE day < :before
)

DELETE FROM statistics.link USING old WHERE link.number = old.number
