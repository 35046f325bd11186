-- What must be kept for tax? The money records of each accounting period, until six years after its end and, while an
-- enquiry into it is open, without end. A hold on a class of records: it names no account.
-- The three years that company law asks for (ACCOUNTING) always end before these six, so no row is needed for them.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    tax.prefix || extract(YEAR FROM period.ends_on) AS reference,
    tax.hold_type,
    cast(NULL AS text) AS subject_key,
    ARRAY['invoices', 'payments'] AS datasets,
    cast(NULL AS text) AS record_key,
    period.starts_on AS period_from,
    period.ends_on + 1 AS period_to,
    'uk-gdpr-17-3-b' AS ground,
    TRUE AS disclosable,
    CASE WHEN NOT enquiry.is_open THEN statutory.ends_on END AS ends_on,
    cast(NULL AS date) AS review_on
FROM provider.accounting_period AS period
CROSS JOIN (
    VALUES ('tax-ct-', 'TAX_CT', 'corporation_tax'), ('tax-vat-', 'TAX_VAT', 'vat')
) AS tax (prefix, hold_type, enquiry_into)
CROSS JOIN LATERAL (
    SELECT
        coalesce(period.enquiry_into = tax.enquiry_into, FALSE)
        AND (period.enquiry_closed_on IS NULL OR period.enquiry_closed_on > cast(:as_of AS date)) AS is_open
) AS enquiry
CROSS JOIN LATERAL (SELECT cast(period.ends_on + interval '6 years' AS date) AS ends_on) AS statutory
WHERE enquiry.is_open OR statutory.ends_on >= cast(:as_of AS date)
