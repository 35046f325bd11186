-- Which rows have an answer that is known beforehand, and why? Each stands for one thing that a run must get right.
-- Case n is row n of its dataset. Its account is n for hold n, 50 + n where the case is the account itself or its
-- contact, and one of three without a hold for the common cases (what is not over may hold something: accounts 2 and 3
-- keep that apart from 1). Holds protect only rows that would otherwise be due; `days` is how long before the latest
-- due day those start. An open refund or dispute has not started: it holds its invoice, and needs no hold itself. Case 34
-- is the address of a number that was given up, of which no cease was sent.
-- params: none
-- returns: nothing; makes the temporary table synthetic_case until the end of the transaction
-- locks: none
CREATE TEMPORARY TABLE synthetic_case ON COMMIT DROP AS
WITH common (case_no, account_id, cohort, expected) AS (
    VALUES
    (1, 1, 'due', 'due'),
    (2, 1, 'due_yesterday_boundary', 'due'),
    (3, 1, 'last_kept_day', 'not_due'),
    (4, 1, 'not_due', 'not_due'),
    (5, 2, 'future_start', 'unknown'),
    (6, 1, 'unknown_start', 'unknown'),
    (7, 3, 'live', 'not_due')
),

hold (case_no, account_id, cohort, expected, days, datasets) AS (
    VALUES
    (11, 11, 'hold_ended', 'due', 8, cast(NULL AS text[])),
    (12, 12, 'held_LITIGATION', 'held', 5, cast(NULL AS text[])),
    (13, 13, 'held_LITIGATION', 'held', 45, ARRAY['call_detail_records', 'messages']),
    (14, 13, 'outside_hold_period', 'due', 10, ARRAY['call_detail_records']),
    (15, 15, 'held_LE_PRESERVATION', 'held', 5, ARRAY['call_detail_records', 'login_events']),
    (16, 16, 'held_IPA_NOTICE', 'held', 40, ARRAY['call_detail_records']),
    (17, 17, 'held_REGULATOR', 'held', 45, ARRAY['api_request_logs']),
    (18, 18, 'held_REGULATOR', 'held', 5, ARRAY['complaints', 'support_tickets']),
    (19, 19, 'held_FRAUD_INVESTIGATION', 'held', 5, ARRAY[
        'fraud_signals', 'identity_evidence', 'suspensions', 'suspension_notices', 'review_requests', 'review_outcomes'
    ]),
    (20, 20, 'held_COMPLAINT_ADR', 'held', 5, ARRAY['call_detail_records', 'support_tickets', 'call_recordings']),
    (21, 21, 'held_BILLING_OPEN_BALANCE', 'held', 5, ARRAY['contacts', 'invoices', 'call_detail_records']),
    (22, 21, 'outside_hold_period', 'due', 25, ARRAY['call_detail_records']),
    (23, 23, 'held_BILLING_DISPUTE', 'held', 5, ARRAY[
        'contacts', 'invoices', 'payments', 'call_recordings', 'support_tickets'
    ]),
    (23, 23, 'live', 'not_due', NULL, ARRAY['disputes']),
    (24, 24, 'held_BILLING_REFUND_OPEN', 'held', 5, ARRAY['invoices', 'payments']),
    (24, 24, 'live', 'not_due', NULL, ARRAY['refunds']),
    (25, 25, 'held_BILLING_UNBILLED_USAGE', 'held', 5, ARRAY['call_detail_records']),
    (26, 26, 'held_TAX_CT', 'held', 1466, ARRAY['invoices', 'payments']),
    (27, 27, 'held_TAX_VAT', 'held', 1831, ARRAY['invoices', 'payments']),
    (28, 28, 'held_AUDIT', 'held', 5, ARRAY['identity_evidence', 'login_events']),
    (29, 29, 'held_AUDIT', 'held', 50, ARRAY['disclosures']),
    (30, 30, 'held_EMERGENCY_999_LIVE', 'held', 5, ARRAY['emergency_addresses']),
    (31, 31, 'held_NUMBER_PORTING', 'held', 5, ARRAY['number_assignments']),
    (32, 32, 'held_NUMBER_QUARANTINE', 'held', 5, ARRAY['number_assignments']),
    (33, 33, 'held_SUSPENSION_REVIEW', 'held', 5, ARRAY[
        'suspensions', 'suspension_notices', 'review_requests', 'fraud_signals'
    ]),
    (34, 34, 'cease_wanted', 'not_due', NULL, ARRAY['emergency_addresses'])
)

SELECT
    reach.dataset, common.case_no, common.cohort, common.expected,
    CASE WHEN reach.dataset IN ('accounts', 'contacts') THEN 50 + common.case_no ELSE common.account_id END
        AS account_id,
    CASE common.cohort
        WHEN 'due' THEN provider.synthetic_local(reach.last_due - 3, time '12:00')
        WHEN 'due_yesterday_boundary' THEN provider.synthetic_local(reach.last_due, time '23:59:59.999999')
        WHEN 'last_kept_day' THEN provider.synthetic_local(reach.first_kept, time '00:00')
        WHEN 'not_due' THEN provider.synthetic_local(reach.today - (reach.today - reach.first_kept) / 2, time '12:00')
        WHEN 'future_start' THEN reach.until + interval '3 days'
    END AS starts
FROM synthetic_window AS reach CROSS JOIN common
WHERE
    (common.cohort NOT IN ('unknown_start', 'live') OR common.cohort = reach.missing)
    AND (common.expected <> 'due' OR reach.due_exist)
UNION ALL
SELECT
    reach.dataset, hold.case_no, hold.cohort, hold.expected,
    CASE WHEN reach.dataset IN ('accounts', 'contacts') THEN 50 + hold.case_no ELSE hold.account_id END AS account_id,
    provider.synthetic_local(reach.last_due - hold.days, time '12:00') AS starts
FROM synthetic_window AS reach INNER JOIN hold ON hold.datasets IS NULL OR reach.dataset = ANY(hold.datasets)
WHERE hold.expected <> 'due' OR reach.due_exist
