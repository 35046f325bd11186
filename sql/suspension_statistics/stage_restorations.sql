-- When did service come back: after decisions of the month, and after any decision in the month?
-- The first of several counts.
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: the number of decisions; makes the temporary table month_restoration until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE month_restoration ON COMMIT DROP AS
WITH seen AS (
    SELECT restoration.case_number
    FROM statistics.restorations(:known_until) AS restoration
    WHERE restoration.day >= :first_day AND restoration.day < :next_month
    UNION
    SELECT number FROM month_decision
    UNION
    SELECT case_number FROM month_request WHERE outcome = 'overturned' AND fault IS NULL
)

SELECT DISTINCT ON (restoration.case_number)
    restoration.case_number, restoration.day, restoration.minutes, restoration.cause,
    decision.day >= :first_day AND decision.day < :next_month AS of_month
FROM seen
INNER JOIN statistics.restorations(:known_until) AS restoration ON restoration.case_number = seen.case_number
INNER JOIN statistics.decisions(:known_until) AS decision ON decision.number = restoration.case_number
WHERE restoration.minutes >= 0 AND decision.fault IS NULL
ORDER BY restoration.case_number, restoration.minutes, restoration.number
