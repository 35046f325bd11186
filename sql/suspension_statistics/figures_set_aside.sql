-- Which facts of the month contradict themselves or one another, so that they are counted nowhere else (U01)?
-- By the month of the fact itself: of a request, the month in which it was made.
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: one row for each kind and fault (metric text, basis text, dimension text, category text, n bigint, of_n bigint)
-- locks:   none
WITH others AS (
    SELECT 'notice' AS kind, case_number, day, minutes, FALSE AS unknown_code FROM statistics.notices(:known_until)
    UNION ALL
    SELECT 'restoration', case_number, day, minutes, FALSE FROM statistics.restorations(:known_until)
    UNION ALL
    SELECT 'check', case_number, day, minutes, FALSE FROM statistics.checks(:known_until)
    UNION ALL
    SELECT
        'escalation', case_number, day, minutes,
        kind IS NULL OR kind NOT IN ('complaint', 'adr', 'ico', 'court')
    FROM statistics.escalations(:known_until)
),

found AS (
    SELECT 'decision' AS kind, fault FROM month_decision
    UNION ALL
    SELECT 'request', fault FROM month_request WHERE day >= :first_day AND day < :next_month
    UNION ALL
    SELECT 'ending', 'without_request'
    FROM statistics.endings(:known_until) AS ending
    WHERE
        ending.day >= :first_day AND ending.day < :next_month
        AND NOT EXISTS (
            SELECT FROM statistics.requests(:known_until) AS request WHERE request.number = ending.request_number
        )
    UNION ALL
    SELECT
        others.kind,
        CASE
            WHEN decision.number IS NULL OR others.minutes IS NULL THEN 'without_decision'
            WHEN decision.fault IS NOT NULL THEN 'of_a_decision_set_aside'
            WHEN others.minutes < 0 THEN 'before_its_decision'
            WHEN others.unknown_code THEN 'has_an_unknown_code'
        END
    FROM others
    LEFT JOIN LATERAL ( -- one by one: of all decisions there ever were, these are few
        SELECT made.number, made.fault FROM statistics.decisions(:known_until) AS made
        WHERE made.number = others.case_number
        ORDER BY made.number
        LIMIT 1
    ) AS decision ON TRUE
    WHERE others.day >= :first_day AND others.day < :next_month
)

SELECT
    'U01' AS metric, 'event' AS basis, kind AS dimension, fault AS category, count(*) AS n, cast(NULL AS bigint) AS of_n
FROM found WHERE fault IS NOT NULL
GROUP BY kind, fault
