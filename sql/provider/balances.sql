-- Of which subjects do two systems disagree on what they owe? What billing says decides about holds. Here the other system
-- is whoever takes the payments: an invoice is open although it was paid in full, or paid although less came in. One
-- without any payment is left out: payments may have been deleted before it.
-- params:  subject_keys text[]
-- returns: one row for each (subject_key text)
-- locks:   none
WITH asked AS (
    SELECT CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END AS account_id
    FROM unnest(cast(:subject_keys AS text [])) AS given (key)
),

compared AS (
    SELECT
        invoice.account_id, invoice.status, invoice.total_pence,
        sum(payment.amount_pence - coalesce(given_back.pence, 0)) AS came_in,
        sum(payment.amount_pence) AS was_paid
    FROM asked
    INNER JOIN provider.invoice ON invoice.account_id = asked.account_id
    INNER JOIN provider.payment ON payment.invoice_id = invoice.invoice_id
    LEFT JOIN LATERAL (
        SELECT sum(refund.amount_pence) AS pence
        FROM provider.refund
        WHERE refund.payment_id = payment.payment_id AND refund.status = 'completed'
    ) AS given_back ON TRUE
    GROUP BY invoice.invoice_id
)

SELECT DISTINCT cast(account_id AS text) AS subject_key
FROM compared
WHERE (status = 'unpaid' AND came_in >= total_pence) OR (status = 'paid' AND was_paid < total_pence)
