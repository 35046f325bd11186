-- Who has and had which number? Each number has one assignment: most serve, some ended lately, the rest long ago.
-- Assignments 101 and up are fillers: the emergency addresses of cases hang on them.
-- params: accounts bigint, as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.number_assignment
INSERT INTO provider.number_assignment (
    assignment_id, number_id, account_id, assigned_at, ended_at, port_ordered_at, port_completed_at
)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'number_assignments'),

addresses AS (SELECT * FROM synthetic_window WHERE dataset = 'emergency_addresses'),

slots AS (
    SELECT
        number_id,
        number_id - 200 AS n,
        (number_id - 201) * 10 / greatest(max(number_id) OVER () - 200, 1) AS tenth,
        cast(:accounts AS bigint) - cast(:accounts AS bigint) / 4 AS live_accounts
    FROM provider.number
    WHERE number_id > 200
),

owned AS (
    SELECT
        slots.number_id, slots.n,
        -- The n-th live account: each fourth account has left.
        1001 + slots.n % slots.live_accounts / 3 * 4 + slots.n % slots.live_accounts % 3 AS account_id,
        CASE
            WHEN slots.tenth < 5 THEN NULL
            WHEN slots.tenth < 6 AND NOT reach.backlog THEN NULL
            WHEN slots.tenth < 7
                THEN addresses.until - provider.synthetic_share(slots.n, 'ended lately', :seed) * addresses.span
            WHEN provider.synthetic_draw(slots.n, 'overdue', :seed) % 30 = 0
                THEN reach.oldest
                    + provider.synthetic_share(slots.n, 'ended', :seed) * make_interval(days => reach.overdue_days)
            ELSE
                reach.until - provider.synthetic_share(slots.n, 'ended', :seed) * reach.span
        END AS ended_at
    FROM slots CROSS JOIN reach CROSS JOIN addresses
),

rows_to_make AS (
    SELECT
        case_no AS assignment_id, account_id, starts AS ended_at,
        CASE cohort WHEN 'held_NUMBER_PORTING' THEN cast(:as_of AS timestamptz) - interval '4 days' END
            AS port_ordered_at
    FROM synthetic_case WHERE dataset = 'number_assignments'
    UNION ALL
    SELECT
        100 + case_no, account_id,
        CASE WHEN cohort <> 'live' THEN cast(:as_of AS timestamptz) - interval '2 years' END,
        NULL
    FROM synthetic_case WHERE dataset = 'emergency_addresses'
    UNION ALL
    SELECT number_id, account_id, ended_at, NULL FROM owned
)

SELECT
    made.assignment_id, made.assignment_id, made.account_id, account.opened_at + interval '1 day', made.ended_at,
    made.port_ordered_at, NULL
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
WHERE made.ended_at IS NULL OR made.ended_at > account.opened_at + interval '2 days'
