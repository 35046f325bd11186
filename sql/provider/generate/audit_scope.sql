-- What do the auditors want kept? Accounts in a sample, and all disclosures of one day.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.audit_scope
INSERT INTO provider.audit_scope (engagement_id, scope_no, account_id, datasets, period_from, period_to)
SELECT 1, known.case_no, known.account_id, array_agg(known.dataset ORDER BY known.dataset), NULL, NULL
FROM synthetic_case AS known WHERE known.case_no = 28 GROUP BY known.case_no, known.account_id
UNION ALL
SELECT
    1, 29, NULL, ARRAY['disclosures'],
    cast(starts AT TIME ZONE 'Europe/London' AS date), cast(starts AT TIME ZONE 'Europe/London' AS date) + 1
FROM synthetic_case WHERE case_no = 29
UNION ALL
SELECT 2, cast(account_id AS integer), account_id, ARRAY['invoices', 'payments'], NULL, NULL
FROM provider.account
WHERE account_id > 1000 AND provider.synthetic_draw(account_id, 'hold', :seed) % 1000 BETWEEN 19 AND 21
UNION ALL
SELECT 3, 1, NULL, ARRAY['login_events'], NULL, NULL
