-- Which text messages were sent? Five kept for each live account, over the span of the call records.
-- Content of older messages is gone, as the nightly run would have left it.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.message
INSERT INTO provider.message (
    message_id, account_id, direction, sender, recipient, content, segments, status, submitted_at, delivered_at
)
WITH content AS (SELECT * FROM synthetic_window WHERE dataset = 'messages'),

rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS delivered_at, TRUE AS complete
    FROM synthetic_case WHERE dataset = 'messages'
    UNION ALL
    SELECT sent.n, sent.account_id, sent.delivered_at, coalesce(sent.delivered_at >= content.oldest, TRUE)
    FROM (
        SELECT
            account.account_id * 10 + n AS n, account.account_id,
            CASE
                WHEN provider.synthetic_draw(account.account_id * 10 + n, 'queued', :seed) % 1000 > 0
                    THEN calls.until
                        - provider.synthetic_share(account.account_id * 10 + n, 'message', :seed) * calls.span
            END AS delivered_at
        FROM provider.account CROSS JOIN generate_series(1, 5) AS n CROSS JOIN synthetic_window AS calls
        WHERE account.account_id > 1000 AND account.status <> 'closed' AND calls.dataset = 'call_detail_records'
    ) AS sent CROSS JOIN content
)

SELECT
    n, account_id, (ARRAY['in', 'out'])[1 + n % 2],
    provider.synthetic_number(account_id % 20000),
    provider.synthetic_number(provider.synthetic_draw(n, 'recipient', :seed) % 20000),
    CASE WHEN complete THEN 'Invented message ' || n || ': your parcel is at the example depot.' END,
    1 + n % 3,
    CASE WHEN delivered_at IS NULL THEN 'queued' WHEN n % 40 = 0 THEN 'failed' ELSE 'delivered' END,
    least(delivered_at, cast(:as_of AS timestamptz)) - interval '4 seconds',
    delivered_at
FROM rows_to_make
