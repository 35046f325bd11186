-- Whose data went to which service provider? Two disclosures kept for each live account.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.disclosure
INSERT INTO provider.disclosure (disclosure_id, account_id, service_provider_id, disclosed_at, category, purpose)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS disclosed_at FROM synthetic_case WHERE dataset = 'disclosures'
    UNION ALL
    SELECT
        account.account_id * 10 + n, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id * 10 + n, 'disclosure not recorded', :seed) % 4000 > 0
                THEN reach.until
                    - provider.synthetic_share(account.account_id * 10 + n, 'disclosed', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN generate_series(1, 2) AS n CROSS JOIN synthetic_window AS reach
    WHERE account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'disclosures'
)

SELECT
    made.n, made.account_id, 1 + made.n % 5, made.disclosed_at,
    (ARRAY['contact', 'payment', 'identity', 'traffic'])[1 + made.n % 4],
    'to provide the service'
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
WHERE made.disclosed_at IS NULL OR made.disclosed_at > account.opened_at
