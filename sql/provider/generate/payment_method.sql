-- How do customers pay? A card or a Direct Debit mandate for each live account.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.payment_method
INSERT INTO provider.payment_method (
    payment_method_id, account_id, kind, card_token, mandate_reference, holder_name, created_at, last_used_at
)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'payment_methods'),

rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS last_used_at FROM synthetic_case WHERE dataset = 'payment_methods'
    UNION ALL
    SELECT
        account.account_id * 10 + 1, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'use not recorded', :seed) % 2000 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'used', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN reach
    WHERE account.account_id > 1000 AND account.status <> 'closed'
)

SELECT
    made.n, made.account_id,
    CASE made.n % 2 WHEN 0 THEN 'card' ELSE 'direct_debit' END,
    CASE made.n % 2 WHEN 0 THEN 'tok_invented_' || made.n END,
    CASE made.n % 2 WHEN 1 THEN 'MANDATE' || lpad(cast(made.n AS text), 11, '0') END,
    provider.synthetic_forename(made.account_id * 10 + 1, :seed) || ' '
    || provider.synthetic_surname(made.account_id * 10 + 1, :seed),
    account.opened_at,
    made.last_used_at
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
