-- Which accounting years are on the books, and into which is a tax enquiry open? Years to 31 March.
-- params: none
-- returns: the number of rows made
-- locks: the new rows of provider.accounting_period
INSERT INTO provider.accounting_period (starts_on, ends_on, enquiry_into, enquiry_closed_on)
SELECT
    cast(cast(reach.last_due + 1 AS timestamp) + make_interval(years => n - 1) AS date),
    cast(cast(reach.last_due + 1 AS timestamp) + make_interval(years => n) AS date) - 1,
    CASE n WHEN -4 THEN 'corporation_tax' WHEN -5 THEN 'vat' WHEN -3 THEN 'vat' END,
    CASE n WHEN -3 THEN reach.today - 60 END
FROM synthetic_window AS reach CROSS JOIN generate_series(-5, 8) AS n
WHERE
    reach.dataset = 'invoices'
    AND cast(reach.last_due + 1 AS timestamp) + make_interval(years => n - 1) <= reach.today
