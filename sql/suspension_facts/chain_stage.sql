-- How does each decision stand to others on the same account, where that is not what is known already?
-- Decisions of one moment are in the order of their numbers. A review that overturned counts from its own day.
-- params:  none
-- returns: the number of decisions; makes the temporary table staged_chain until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE staged_chain ON COMMIT DROP AS
WITH touched AS (
    SELECT DISTINCT link.account
    FROM statistics.link
    WHERE
        link.kind = 'decision' AND link.account IS NOT NULL
        AND (
            link.account IN (SELECT incoming_decision.account FROM incoming_decision)
            OR link.pseudonym IN (SELECT incoming_ending.case_key FROM incoming_ending)
        )
),

decisions AS (
    SELECT link.account, link.number, link.at, decision.day
    FROM touched
    INNER JOIN statistics.link ON link.account = touched.account AND link.kind = 'decision'
    INNER JOIN statistics.decision ON decision.number = link.number AND decision.superseded_at IS NULL
),

overturned AS (
    SELECT decisions.account, decisions.number, decisions.at, ending.day
    FROM decisions
    INNER JOIN statistics.ending ON ending.case_number = decisions.number AND ending.superseded_at IS NULL
    WHERE ending.outcome = 'overturned'
),

ordered AS (
    SELECT
        decisions.number,
        row_number() OVER (
            PARTITION BY decisions.account, date_trunc('month', decisions.day) ORDER BY decisions.at, decisions.number
        ) = 1 AS is_first_in_month,
        decisions.day - lag(decisions.day) OVER (
            PARTITION BY decisions.account ORDER BY decisions.at, decisions.number
        ) AS days_since_previous,
        decisions.day - (
            SELECT max(overturned.day) FROM overturned
            WHERE
                overturned.account = decisions.account AND overturned.number <> decisions.number
                AND overturned.at <= decisions.at AND overturned.day <= decisions.day
        ) AS days_since_overturned
    FROM decisions
)

SELECT
    ordered.number, ordered.is_first_in_month,
    CASE WHEN ordered.days_since_previous <= 366 THEN ordered.days_since_previous END AS days_since_previous,
    CASE WHEN ordered.days_since_overturned <= 366 THEN ordered.days_since_overturned END AS days_since_overturned
FROM ordered
LEFT JOIN statistics.chain ON chain.number = ordered.number AND chain.superseded_at IS NULL
WHERE
    (chain.is_first_in_month, chain.days_since_previous, chain.days_since_overturned) IS DISTINCT FROM (
        ordered.is_first_in_month,
        CASE WHEN ordered.days_since_previous <= 366 THEN ordered.days_since_previous END,
        CASE WHEN ordered.days_since_overturned <= 366 THEN ordered.days_since_overturned END
    )
