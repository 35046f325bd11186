-- What must billing keep, because money is still open? Debts, disputes, refunds under way, and calls on no bill yet.
-- An account-wide hold keeps who owes and what was billed; the calls of an unpaid bill are held by its period alone.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
WITH unsettled AS (
    SELECT
        invoice_id, account_id, usage_from, usage_to,
        CASE status WHEN 'unpaid' THEN 'BILLING_OPEN_BALANCE' ELSE 'BILLING_DISPUTE' END AS hold_type
    FROM provider.invoice
    WHERE status IN ('unpaid', 'disputed')
),

disputed AS (
    SELECT account_id FROM unsettled WHERE hold_type = 'BILLING_DISPUTE'
    UNION
    SELECT invoice.account_id
    FROM provider.dispute INNER JOIN provider.invoice ON invoice.invoice_id = dispute.invoice_id
    WHERE dispute.closed_at IS NULL OR dispute.closed_at AT TIME ZONE 'Europe/London' >= cast(:as_of AS date)
),

being_refunded AS (
    SELECT DISTINCT invoice.account_id
    FROM provider.refund
    INNER JOIN provider.payment ON payment.payment_id = refund.payment_id
    INNER JOIN provider.invoice ON invoice.invoice_id = payment.invoice_id
    WHERE refund.status IN ('requested', 'chargeback')
),

unbilled AS (
    SELECT
        account_id,
        cast(min(started_at) AT TIME ZONE 'Europe/London' AS date) AS first_day,
        cast(max(started_at) AT TIME ZONE 'Europe/London' AS date) AS last_day
    FROM provider.call_detail_record
    WHERE billed_on IS NULL
    GROUP BY account_id
)

SELECT
    'billing-balance-' || account_id AS reference,
    'BILLING_OPEN_BALANCE' AS hold_type,
    cast(account_id AS text) AS subject_key,
    ARRAY['contacts', 'invoices', 'payments'] AS datasets,
    cast(NULL AS text) AS record_key,
    cast(NULL AS date) AS period_from,
    cast(NULL AS date) AS period_to,
    'contract' AS ground,
    TRUE AS disclosable,
    cast(NULL AS date) AS ends_on,
    cast(NULL AS date) AS review_on
FROM unsettled WHERE hold_type = 'BILLING_OPEN_BALANCE' GROUP BY account_id
UNION ALL
SELECT
    'billing-usage-' || invoice_id, hold_type, cast(account_id AS text), ARRAY['call_detail_records'], NULL,
    usage_from, usage_to, 'pecr-7-2', TRUE, NULL, NULL
FROM unsettled
UNION ALL
SELECT
    'billing-dispute-' || account_id, 'BILLING_DISPUTE', cast(account_id AS text),
    ARRAY['contacts', 'invoices', 'payments', 'refunds', 'disputes', 'call_recordings', 'support_tickets'], NULL,
    NULL, NULL, 'uk-gdpr-17-3-e', TRUE, NULL, NULL
FROM disputed
UNION ALL
SELECT
    'billing-refund-' || account_id, 'BILLING_REFUND_OPEN', cast(account_id AS text),
    ARRAY['contacts', 'invoices', 'payments', 'refunds'], NULL,
    NULL, NULL, 'contract', TRUE, NULL, NULL
FROM being_refunded
UNION ALL
SELECT
    'billing-unbilled-' || account_id, 'BILLING_UNBILLED_USAGE', cast(account_id AS text),
    ARRAY['call_detail_records'], NULL,
    first_day, last_day + 1, 'pecr-7-2', TRUE, NULL, NULL
FROM unbilled
