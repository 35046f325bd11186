-- What was billed? A bill each half-year, paid on the day by card or Direct Debit; a few are unpaid or disputed.
-- Fillers with numbers above 400 give the accounts of cases the debts and disputes that their holds rest on.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.invoice
INSERT INTO provider.invoice (
    invoice_id, account_id, invoice_number, usage_from, usage_to, issued_on, due_on, paid_on, status,
    net_pence, vat_pence, total_pence, billing_name, billing_address
)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'invoices'),

of_cases AS (
    SELECT
        case_no AS invoice_id, account_id, cast(starts AT TIME ZONE 'Europe/London' AS date) AS issued_on,
        CASE cohort
            WHEN 'held_BILLING_OPEN_BALANCE' THEN 'unpaid' WHEN 'held_BILLING_DISPUTE' THEN 'disputed' ELSE 'paid'
        END AS status,
        cast(NULL AS date) AS usage_from
    FROM synthetic_case WHERE dataset = 'invoices'
    UNION ALL
    SELECT
        450 + case_no, account_id, cast(starts AT TIME ZONE 'Europe/London' AS date),
        CASE cohort WHEN 'held_BILLING_OPEN_BALANCE' THEN 'unpaid' ELSE 'disputed' END,
        NULL
    FROM synthetic_case
    WHERE dataset = 'contacts' AND cohort IN ('held_BILLING_OPEN_BALANCE', 'held_BILLING_DISPUTE')
    UNION ALL
    SELECT 400 + known.case_no, known.account_id, calls.first_kept, 'unpaid', calls.last_due - 20
    FROM synthetic_case AS known INNER JOIN synthetic_window AS calls ON calls.dataset = known.dataset
    WHERE known.dataset = 'call_detail_records' AND known.cohort = 'held_BILLING_OPEN_BALANCE'
),

half_years AS (
    SELECT
        account.account_id * 100 + n AS invoice_id, account.account_id,
        reach.today - 1 - n * 182
        - cast(provider.synthetic_draw(account.account_id, 'billing day', :seed) % 182 AS integer) AS issued_on,
        coalesce(least(account.contract_ended_on, reach.today), reach.today) AS billed_until,
        cast(account.opened_at AS date) AS opened_on,
        provider.synthetic_draw(account.account_id, 'hold', :seed) % 1000 AS fate
    FROM provider.account CROSS JOIN generate_series(0, 19) AS n CROSS JOIN reach
    WHERE account.account_id > 1000
),

billed AS (
    SELECT
        half_years.invoice_id, half_years.account_id, half_years.issued_on,
        CASE
            WHEN half_years.issued_on > half_years.billed_until - 182 AND half_years.fate < 10 THEN 'unpaid'
            WHEN half_years.issued_on > half_years.billed_until - 182 AND half_years.fate < 13 THEN 'disputed'
            WHEN provider.synthetic_draw(half_years.invoice_id, 'bad debt', :seed) % 500 = 0 THEN 'written_off'
            ELSE 'paid'
        END AS status
    FROM half_years CROSS JOIN reach
    WHERE
        half_years.issued_on > half_years.opened_on AND half_years.issued_on <= half_years.billed_until
        AND (
            half_years.issued_on >= reach.first_kept
            OR (reach.due_exist AND reach.backlog)
            OR (
                reach.due_exist AND half_years.issued_on > reach.last_due - 182
                AND provider.synthetic_draw(half_years.invoice_id, 'not deleted yet', :seed) % 6 = 0
            )
        )
),

rows_to_make AS (
    SELECT
        invoice_id, account_id, issued_on, coalesce(issued_on, (SELECT today - 700 FROM reach)) AS billed_on, status,
        usage_from
    FROM of_cases
    UNION ALL
    SELECT
        invoice_id, account_id,
        CASE WHEN provider.synthetic_draw(invoice_id, 'issue not recorded', :seed) % 4000 > 0 THEN issued_on END,
        issued_on, status, NULL
    FROM billed
)

SELECT
    made.invoice_id, made.account_id, 'INV-' || lpad(cast(made.invoice_id AS text), 12, '0'),
    coalesce(made.usage_from, made.billed_on - 182), made.billed_on,
    made.issued_on, made.issued_on + 14,
    CASE made.status WHEN 'paid' THEN made.billed_on END,
    made.status,
    cost.net_pence, cost.net_pence / 5, cost.net_pence + cost.net_pence / 5,
    provider.synthetic_forename(made.account_id * 10 + 1, :seed) || ' '
    || provider.synthetic_surname(made.account_id * 10 + 1, :seed),
    provider.synthetic_street(made.account_id, :seed) || ', ' || provider.synthetic_town(made.account_id, :seed) || ', '
    || provider.synthetic_postcode(made.account_id, :seed)
FROM rows_to_make AS made
CROSS JOIN LATERAL (SELECT 500 + provider.synthetic_draw(made.invoice_id, 'net', :seed) % 20000 AS net_pence) AS cost
