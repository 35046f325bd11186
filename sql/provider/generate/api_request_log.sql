-- Who called the API? Ten requests kept for each live business account.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.api_request_log
INSERT INTO provider.api_request_log (request_id, account_id, occurred_at, ip, method, path, status_code)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS occurred_at FROM synthetic_case WHERE dataset = 'api_request_logs'
    UNION ALL
    SELECT
        account.account_id * 10 + n, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id * 10 + n, 'request not recorded', :seed) % 4000 > 0
                THEN reach.until - provider.synthetic_share(account.account_id * 10 + n, 'request', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN generate_series(0, 9) AS n CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND account.kind = 'business'
        AND reach.dataset = 'api_request_logs'
)

SELECT
    n, account_id, occurred_at, provider.synthetic_ip(n, :seed),
    (ARRAY['GET', 'POST'])[1 + n % 2],
    (ARRAY['/v1/messages', '/v1/calls', '/v1/numbers'])[1 + n % 3],
    (ARRAY[200, 201, 200, 429])[1 + provider.synthetic_draw(n, 'status', :seed) % 4]
FROM rows_to_make
