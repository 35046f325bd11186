-- Which invoices were paid, and how?
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.payment
INSERT INTO provider.payment (
    payment_id, invoice_id, method_kind, paid_at, amount_pence, payer_name, processor_reference
)
SELECT
    invoice.invoice_id, invoice.invoice_id,
    CASE invoice.invoice_id % 2 WHEN 0 THEN 'card' ELSE 'direct_debit' END,
    coalesce(known.starts, provider.synthetic_local(invoice.usage_to, time '10:30')),
    invoice.total_pence, invoice.billing_name,
    'pay_' || left(replace(cast(provider.synthetic_uuid(invoice.invoice_id, 'payment', :seed) AS text), '-', ''), 20)
FROM provider.invoice
LEFT JOIN synthetic_case AS known ON known.dataset = 'payments' AND known.case_no = invoice.invoice_id
WHERE known.case_no IS NOT NULL OR (invoice.invoice_id > 1000 AND invoice.status = 'paid')
