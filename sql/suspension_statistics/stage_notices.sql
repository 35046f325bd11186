-- When was each decision of the month first told, and did any notice offer a review?
-- params:  known_until timestamptz
-- returns: the number of decisions; makes the temporary table month_notice until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE month_notice ON COMMIT DROP AS
SELECT
    notice.case_number,
    min(notice.minutes) AS minutes,
    coalesce(bool_or(notice.offers_review), FALSE) AS offers_review
FROM month_decision
INNER JOIN statistics.notices(:known_until) AS notice ON notice.case_number = month_decision.number
WHERE month_decision.fault IS NULL AND notice.minutes >= 0
GROUP BY notice.case_number
