-- What does each legal matter need kept? Everything of an account, some datasets of it, or a period of everybody's.
-- params: none
-- returns: the number of rows made
-- locks: the new rows of provider.preservation_order
INSERT INTO provider.preservation_order (order_id, matter_id, account_id, datasets, period_from, period_to)
SELECT
    legal_matter.matter_id * 10, legal_matter.matter_id, legal_matter.matter_id,
    CASE
        WHEN known.cohort = 'hold_ended' THEN NULL
        WHEN legal_matter.kind = 'law_enforcement' THEN ARRAY['call_detail_records', 'login_events']
        WHEN legal_matter.kind = 'fraud_investigation' THEN ARRAY[
            'fraud_signals', 'identity_evidence', 'suspensions', 'suspension_notices', 'review_requests',
            'review_outcomes'
        ]
    END,
    NULL, NULL
FROM provider.legal_matter
LEFT JOIN (SELECT DISTINCT account_id, cohort FROM synthetic_case) AS known ON known.account_id = legal_matter.matter_id
WHERE legal_matter.matter_id NOT IN (13, 16)
UNION ALL
SELECT
    legal_matter.matter_id * 10 + row_number() OVER (PARTITION BY legal_matter.matter_id ORDER BY known.dataset),
    legal_matter.matter_id,
    CASE legal_matter.matter_id WHEN 13 THEN known.account_id END,
    ARRAY[known.dataset],
    cast(known.starts AS date) - scope.days_before, cast(known.starts AS date) + scope.days_after
FROM provider.legal_matter
INNER JOIN synthetic_case AS known ON known.case_no = legal_matter.matter_id
INNER JOIN (VALUES (13, 15, 15), (16, 0, 1)) AS scope (matter_id, days_before, days_after)
    ON scope.matter_id = legal_matter.matter_id
