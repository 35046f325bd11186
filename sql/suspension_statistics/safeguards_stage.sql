-- Which safeguards are broken now, by the facts that stand? Facts that contradict themselves break none.
-- Only what can still be led back to a record: nobody could mend anything else.
-- params:  today date, notice_days integer, assign_days integer, restore_days integer
-- returns: the number of breaks; makes the temporary table broken_safeguard until the end of the transaction
-- locks:   none
CREATE TEMPORARY TABLE broken_safeguard ON COMMIT DROP AS
WITH decided AS (
    SELECT decision.*, link.pseudonym
    FROM statistics.decisions('infinity') AS decision
    INNER JOIN statistics.link ON link.kind = 'decision' AND link.number = decision.number
    WHERE decision.fault IS NULL
),

told AS (
    SELECT case_number, bool_or(coalesce(offers_review, FALSE)) AS offers_review
    FROM statistics.notices('infinity')
    WHERE minutes >= 0
    GROUP BY case_number
),

asked AS (
    SELECT request.*, link.pseudonym
    FROM statistics.requests('infinity') AS request
    INNER JOIN statistics.link ON link.kind = 'request' AND link.number = request.number
    WHERE request.minutes >= 0
),

ended AS (SELECT * FROM statistics.endings('infinity') WHERE minutes >= 0)

SELECT 'not_told' AS kind, decided.pseudonym, decided.day AS since
FROM decided LEFT JOIN told ON told.case_number = decided.number
WHERE
    told.case_number IS NULL AND decided.not_told_because IS NULL
    AND decided.day + cast(:notice_days AS integer) < cast(:today AS date)
UNION ALL
SELECT 'no_review_offered', decided.pseudonym, decided.day
FROM decided INNER JOIN told ON told.case_number = decided.number
WHERE NOT told.offers_review
UNION ALL
SELECT 'review_not_assigned', asked.pseudonym, asked.day
FROM asked
WHERE
    asked.assigned_minutes IS NULL AND asked.day + cast(:assign_days AS integer) < cast(:today AS date)
    AND NOT EXISTS (SELECT FROM ended WHERE ended.request_number = asked.number)
UNION ALL
SELECT 'reviewer_is_decider', asked.pseudonym, min(ended.day)
FROM ended INNER JOIN asked ON asked.number = ended.request_number
WHERE ended.reviewer_is_decider AND ended.outcome IN ('upheld', 'overturned', 'varied')
GROUP BY asked.pseudonym
UNION ALL
SELECT 'not_restored', decided.pseudonym, min(ended.day)
FROM ended INNER JOIN decided ON decided.number = ended.case_number
WHERE
    ended.outcome = 'overturned' AND ended.day + cast(:restore_days AS integer) < cast(:today AS date)
    AND NOT EXISTS (
        SELECT FROM statistics.restorations('infinity') AS restoration
        WHERE restoration.case_number = decided.number AND restoration.minutes >= 0
    )
GROUP BY decided.pseudonym
UNION ALL
SELECT one.kind, decided.pseudonym, decided.day
FROM decided
CROSS JOIN LATERAL (
    VALUES
    ('fully_on_recognised_interest', coalesce(decided.lawful_basis = 'recognised_legitimate_interests', FALSE)),
    ('fully_without_basis', decided.lawful_basis IS NULL),
    ('fully_without_rule_version', decided.rule_version IS NULL),
    ('fully_without_reasons', NOT decided.has_reasons)
) AS one (kind, is_broken)
WHERE decided.automation = 'fully' AND one.is_broken
UNION ALL
SELECT 'bars_emergency_calls', decided.pseudonym, decided.day FROM decided WHERE decided.bars_emergency_calls
