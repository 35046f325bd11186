-- Who complained? One live account in twenty, once; a few complaints can still go to dispute resolution. Whoever had been
-- suspended before complained about that.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.complaint
INSERT INTO provider.complaint (
    complaint_id, account_id, kind, received_at, closed_at, adr_window_ends_on, adr_closed_on, summary,
    suspension_id, escalated_to, escalated_at
)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'complaints'),

rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS closed_at, FALSE AS deadlocked
    FROM synthetic_case WHERE dataset = 'complaints'
    UNION ALL
    SELECT DISTINCT 400 + case_no, account_id, cast(:as_of AS timestamptz) - interval '20 days', TRUE
    FROM synthetic_case WHERE cohort = 'held_COMPLAINT_ADR'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN NOT fate.open_case
                THEN reach.until - provider.synthetic_share(account.account_id, 'complaint', :seed) * reach.span
            WHEN account.account_id % 2 = 0 THEN cast(:as_of AS timestamptz) - interval '30 days'
        END,
        fate.open_case
    FROM provider.account CROSS JOIN reach
    CROSS JOIN LATERAL (
        SELECT provider.synthetic_draw(account.account_id, 'hold', :seed) % 1000 BETWEEN 26 AND 29 AS open_case
    ) AS fate
    WHERE
        account.account_id > 1000 AND account.status <> 'closed'
        AND (fate.open_case OR provider.synthetic_draw(account.account_id, 'complained', :seed) % 20 = 0)
)

SELECT
    made.n, made.account_id,
    (ARRAY['service', 'service', 'data_protection'])[1 + made.n % 3],
    least(made.closed_at, cast(:as_of AS timestamptz)) - interval '20 days',
    made.closed_at,
    CASE
        WHEN made.deadlocked AND made.closed_at IS NOT NULL
            THEN cast(cast(made.closed_at AT TIME ZONE 'Europe/London' AS date) + interval '12 months' AS date)
    END,
    NULL,
    'The invented line was out of order for ' || (2 + made.n % 9) || ' days.',
    suspended.suspension_id,
    CASE WHEN suspended.suspension_id % 3 = 0 THEN (ARRAY['adr', 'ico', 'court'])[1 + made.n % 3] END,
    CASE
        WHEN suspended.suspension_id % 3 = 0
            THEN least(made.closed_at, cast(:as_of AS timestamptz)) - interval '2 days'
    END
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
LEFT JOIN LATERAL (
    SELECT max(suspension.suspension_id) AS suspension_id FROM provider.suspension
    WHERE
        suspension.account_id = made.account_id AND made.n > 1000
        AND suspension.decided_at < least(made.closed_at, cast(:as_of AS timestamptz)) - interval '20 days'
) AS suspended ON TRUE
WHERE made.closed_at IS NULL OR made.closed_at > account.opened_at + interval '30 days'
