-- Which payments were given back, or are being claimed back? One in fifty, and an open one for a few accounts.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.refund
INSERT INTO provider.refund (refund_id, payment_id, status, requested_at, completed_at, amount_pence, reason)
WITH last_payment AS (
    SELECT invoice.account_id, min(payment.payment_id) AS newest
    FROM provider.payment INNER JOIN provider.invoice ON invoice.invoice_id = payment.invoice_id
    WHERE
        invoice.account_id > 1000
        AND provider.synthetic_draw(invoice.account_id, 'hold', :seed) % 1000 BETWEEN 13 AND 15
    GROUP BY invoice.account_id
),

rows_to_make AS (
    SELECT case_no AS payment_id, cohort = 'live' AS is_open, starts AS completed_at
    FROM synthetic_case WHERE dataset = 'refunds'
    UNION ALL
    SELECT newest, TRUE, NULL FROM last_payment
    UNION ALL
    SELECT payment_id, FALSE, paid_at + interval '4 days'
    FROM provider.payment
    WHERE
        payment_id > 1000 AND provider.synthetic_draw(payment_id, 'refund', :seed) % 50 = 0
        AND paid_at < cast(:as_of AS timestamptz) - interval '5 days'
        AND payment_id NOT IN (SELECT newest FROM last_payment)
)

SELECT
    made.payment_id, made.payment_id,
    CASE
        WHEN NOT made.is_open THEN 'completed'
        WHEN made.payment_id % 2 = 0 THEN 'chargeback'
        ELSE 'requested'
    END,
    least(payment.paid_at + interval '1 hour', made.completed_at, cast(:as_of AS timestamptz)),
    made.completed_at,
    payment.amount_pence / 2,
    (ARRAY['Charged twice', 'Number not in service', 'Overpaid'])[1 + made.payment_id % 3]
FROM rows_to_make AS made INNER JOIN provider.payment ON payment.payment_id = made.payment_id
