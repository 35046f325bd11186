-- Which requests for a review does the month see: of its decisions, made in it, ended in it, or open when it began?
-- A request and its ending stand or fall together: where they contradict each other, or the decision, `fault` says how.
-- Endings that say the same twice are one. Nothing of the request can be counted on while one of them is at fault.
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: the number of requests; makes the temporary table month_request until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE month_request ON COMMIT DROP AS
WITH seen AS (
    SELECT request.*
    FROM statistics.requests(:known_until) AS request
    WHERE request.day >= :first_day AND request.day < :next_month
    UNION ALL
    SELECT request.*
    FROM statistics.requests(:known_until) AS request
    WHERE
        request.day < :first_day
        AND NOT EXISTS (
            SELECT FROM statistics.endings(:known_until) AS ending
            WHERE ending.request_number = request.number AND ending.day < :first_day
        )
    UNION ALL
    SELECT request.*
    FROM month_decision
    INNER JOIN statistics.requests(:known_until) AS request ON request.case_number = month_decision.number
    WHERE request.day >= :next_month
),

ended AS (
    SELECT DISTINCT ON (ending.request_number)
        ending.request_number, ending.day, ending.minutes, ending.outcome, ending.reviewer_number,
        ending.reviewer_is_decider, ending.seconds_spent, ending.evidence_viewed,
        min(ending.outcome) OVER same <> max(ending.outcome) OVER same AS in_two_ways,
        bool_or(ending.minutes < 0) OVER same AS before_it_was_made,
        bool_or(ending.minutes IS NULL) OVER same AS unmeasured,
        bool_or(
            coalesce(ending.outcome NOT IN ('upheld', 'overturned', 'varied', 'withdrawn', 'omitted'), TRUE)
        ) OVER same AS unknown_code
    FROM statistics.endings(:known_until) AS ending
    INNER JOIN seen ON seen.number = ending.request_number
    WINDOW same AS (PARTITION BY ending.request_number)
    ORDER BY ending.request_number, ending.day, ending.number
)

SELECT
    seen.number, seen.case_number, seen.day, seen.minutes, seen.kind, seen.assigned_minutes,
    ended.day AS ended_on, ended.minutes AS ended_minutes, ended.outcome, ended.reviewer_number,
    ended.reviewer_is_decider, ended.seconds_spent, ended.evidence_viewed,
    ended.outcome IN ('upheld', 'overturned', 'varied') AS is_decided,
    decision.automation, decision.signal_family, decision.account_age, decision.account_kind, decision.region,
    decision.day >= :first_day AND decision.day < :next_month AS of_month,
    CASE
        WHEN decision.number IS NULL OR seen.minutes IS NULL THEN 'without_decision'
        WHEN decision.fault IS NOT NULL THEN 'of_a_decision_set_aside'
        WHEN seen.minutes < 0 THEN 'before_its_decision'
        WHEN seen.kind IS NULL OR seen.kind NOT IN ('human_review', 'contest', 'representation')
            THEN 'has_an_unknown_code'
        WHEN ended.in_two_ways THEN 'ended_in_two_ways'
        WHEN ended.unknown_code THEN 'ended_with_an_unknown_code'
        WHEN ended.before_it_was_made OR ended.unmeasured THEN 'ended_before_it_was_made'
    END AS fault
FROM seen
LEFT JOIN ended ON ended.request_number = seen.number
LEFT JOIN statistics.decisions(:known_until) AS decision ON decision.number = seen.case_number
