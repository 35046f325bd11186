-- What did customers need help with? One live account in two, once.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.support_ticket
INSERT INTO provider.support_ticket (support_ticket_id, account_id, opened_at, closed_at, subject, body)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS closed_at FROM synthetic_case WHERE dataset = 'support_tickets'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'ticket open', :seed) % 25 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'ticket', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'support_tickets'
        AND provider.synthetic_draw(account.account_id, 'asked for help', :seed) % 2 = 0
)

SELECT
    made.n, made.account_id,
    least(made.closed_at, cast(:as_of AS timestamptz)) - interval '3 days',
    made.closed_at,
    (ARRAY['No dial tone', 'Question about a bill', 'Number port'])[1 + made.n % 3],
    'Please ring me on ' || provider.synthetic_number(provider.synthetic_draw(made.n, 'ring', :seed) % 20000) || '. '
    || provider.synthetic_forename(made.account_id * 10 + 1, :seed)
FROM rows_to_make AS made
