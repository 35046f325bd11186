-- Which decisions were made in the month, as known at a moment, and how do they stand to others on their account?
-- params:  first_day date, next_month date, known_until timestamptz
-- returns: the number of decisions; makes the temporary table month_decision until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE month_decision ON COMMIT DROP AS
SELECT
    decision.*,
    coalesce(chain.is_first_in_month, TRUE) AS is_first_in_month,
    chain.days_since_previous,
    chain.days_since_overturned
FROM statistics.decisions(:known_until) AS decision
LEFT JOIN statistics.chains(:known_until) AS chain ON chain.number = decision.number
WHERE decision.day >= :first_day AND decision.day < :next_month
