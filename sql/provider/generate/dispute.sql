-- Which invoices did customers dispute? Those with that status are open; one in a hundred others was, once.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.dispute
INSERT INTO provider.dispute (dispute_id, invoice_id, opened_at, closed_at, grounds)
SELECT
    provider.synthetic_uuid(invoice.invoice_id, 'disputes', :seed), invoice.invoice_id,
    least(provider.synthetic_local(invoice.usage_to, time '11:00'), known.starts),
    CASE
        WHEN known.starts IS NOT NULL THEN known.starts
        WHEN invoice.status <> 'disputed' THEN provider.synthetic_local(invoice.usage_to + 25, time '16:00')
    END,
    (ARRAY['Calls not made by us', 'Wrong tariff', 'Service was down'])[1 + invoice.invoice_id % 3]
FROM provider.invoice
LEFT JOIN synthetic_case AS known ON known.dataset = 'disputes' AND known.case_no = invoice.invoice_id
WHERE
    invoice.status = 'disputed' OR known.case_no IS NOT NULL
    OR (
        invoice.invoice_id > 1000 AND invoice.status = 'paid'
        AND provider.synthetic_draw(invoice.invoice_id, 'dispute', :seed) % 100 = 0
        AND invoice.usage_to < (SELECT today - 25 FROM synthetic_window WHERE dataset = 'disputes')
    )
