-- Which accounts were suspended, by what kind of decision? One live account in six, once; a few still are.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.suspension
INSERT INTO provider.suspension (
    suspension_id, account_id, decided_at, automation, restriction, reason, detection_source, lawful_basis,
    rule_version, ends_at, case_closed_at
)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS case_closed_at FROM synthetic_case WHERE dataset = 'suspensions'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN account.status <> 'suspended'
                THEN reach.until - provider.synthetic_share(account.account_id, 'suspension', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'suspensions'
        AND (
            account.status = 'suspended'
            OR provider.synthetic_draw(account.account_id, 'suspended once', :seed) % 6 = 0
        )
)

SELECT
    made.n, made.account_id,
    least(made.case_closed_at, cast(:as_of AS timestamptz))
    - make_interval(hours => cast(30 + provider.synthetic_draw(made.n, 'case length', :seed) % 300 AS integer)),
    (ARRAY['fully', 'fully', 'partially', 'not'])[1 + provider.synthetic_draw(made.n, 'automation', :seed) % 4],
    (ARRAY['partial', 'total'])[1 + provider.synthetic_draw(made.n, 'restriction', :seed) % 2],
    (ARRAY['fraud', 'sms_pumping', 'cli_spoofing', 'non_payment', 'identity', 'acceptable_use'])[
        1 + provider.synthetic_draw(made.n, 'reason', :seed) % 6
    ],
    (ARRAY['detector', 'carrier', 'complaint', 'staff'])[1 + provider.synthetic_draw(made.n, 'source', :seed) % 4],
    (ARRAY['contract', 'legitimate_interests'])[1 + made.n % 2],
    'rules-' || (1 + made.n % 7),
    made.case_closed_at,
    made.case_closed_at
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
WHERE made.case_closed_at IS NULL OR made.case_closed_at > account.opened_at + interval '20 days'
