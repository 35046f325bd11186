-- What did customers agree to? Each was asked about two purposes; many have since withdrawn.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.consent
INSERT INTO provider.consent (account_id, purpose, version, given_at, withdrawn_at, wording, ip)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'consents'),

rows_to_make AS (
    SELECT account_id, 'directory' AS purpose, case_no AS version, starts AS withdrawn_at
    FROM synthetic_case WHERE dataset = 'consents'
    UNION ALL
    SELECT
        account.account_id, (ARRAY['marketing_email', 'call_recording'])[n], 1,
        CASE
            WHEN provider.synthetic_draw(account.account_id * 10 + n, 'withdrew', :seed) % 10 < 8
                THEN reach.until
                    - provider.synthetic_share(account.account_id * 10 + n, 'withdrawn', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN generate_series(1, 2) AS n CROSS JOIN reach
    WHERE account.account_id > 1000 AND account.status <> 'closed'
)

SELECT
    made.account_id, made.purpose, made.version, account.opened_at, made.withdrawn_at,
    'I agree to ' || replace(made.purpose, '_', ' ') || ' (wording ' || made.version || ').',
    provider.synthetic_ip(made.account_id, :seed)
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
WHERE made.withdrawn_at IS NULL OR made.withdrawn_at > account.opened_at
