-- Who logged in, when and from where? Six logins kept for each live account.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.login_event
INSERT INTO provider.login_event (login_event_id, account_id, occurred_at, ip, user_agent, succeeded)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS occurred_at FROM synthetic_case WHERE dataset = 'login_events'
    UNION ALL
    SELECT
        account.account_id * 10 + n, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id * 10 + n, 'login not recorded', :seed) % 4000 > 0
                THEN reach.until - provider.synthetic_share(account.account_id * 10 + n, 'login', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN generate_series(1, 6) AS n CROSS JOIN synthetic_window AS reach
    WHERE account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'login_events'
)

SELECT
    n, account_id, occurred_at, provider.synthetic_ip(n, :seed),
    (ARRAY['Example Browser 1.0', 'Sample Browser 7.2', 'Invented App 3.1'])[1 + n % 3],
    provider.synthetic_draw(n, 'wrong password', :seed) % 12 > 0
FROM rows_to_make
