-- Which authorities asked for data? One live account in 25, once.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.law_enforcement_request
INSERT INTO provider.law_enforcement_request (
    law_enforcement_request_id, account_id, authority, power, received_at, closed_at, confidential, scope
)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS closed_at FROM synthetic_case WHERE dataset = 'law_enforcement_requests'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'request open', :seed) % 20 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'authority', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'law_enforcement_requests'
        AND provider.synthetic_draw(account.account_id, 'of interest', :seed) % 25 = 0
)

SELECT
    provider.synthetic_uuid(made.n, 'law_enforcement_requests', :seed), made.account_id,
    (ARRAY['Invented Constabulary', 'Fictional Crime Agency'])[1 + made.n % 2],
    (ARRAY['ipa-2016-part-3', 'pace-1984-schedule-1'])[1 + made.n % 2],
    least(made.closed_at, cast(:as_of AS timestamptz)) - interval '10 days',
    made.closed_at,
    made.n % 2 = 0,
    'Call records of one number over ' || (1 + made.n % 12) || ' weeks'
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
WHERE made.closed_at IS NULL OR made.closed_at > account.opened_at + interval '30 days'
