-- Which calls were made? As a switch writes them: in the order of time, each by any of the live accounts.
-- A few accounts have calls that were never put on a bill.
-- params: accounts bigint, calls bigint, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.call_detail_record
INSERT INTO provider.call_detail_record (
    started_at, call_id, account_id, duration_seconds, charge_pence, billed_on, rated, direction, calling, called
)
SELECT
    made.started_at, made.call_id, made.account_id,
    made.chance % 900, made.chance % 900 / 60 * 2,
    CASE WHEN made.is_billed THEN cast(made.started_at AS date) END,
    TRUE,
    CASE made.chance % 3 WHEN 0 THEN 'in' ELSE 'out' END,
    provider.synthetic_number(made.account_id % 20000),
    provider.synthetic_number(made.chance / 7 % 20000)
FROM (
    SELECT
        1000 + n AS call_id,
        drawn.account_id,
        reach.oldest + (n - 1 + (drawn.chance % 1000) / 1000.0) / cast(:calls AS double precision) * reach.span
            AS started_at,
        drawn.chance,
        NOT (
            drawn.chance % 20 = 0
            AND provider.synthetic_draw(drawn.account_id, 'hold', :seed) % 1000 BETWEEN 16 AND 18
        ) AS is_billed
    FROM
        (SELECT oldest, span FROM synthetic_window WHERE dataset = 'call_detail_records') AS reach
    CROSS JOIN generate_series(1, cast(:calls AS bigint)) AS n
    CROSS JOIN LATERAL (
        -- The n-th live account: each fourth account has left.
        SELECT chance, 1001 + live / 3 * 4 + live % 3 AS account_id
        FROM (
            SELECT
                provider.synthetic_draw(n, 'call', :seed) AS chance,
                provider.synthetic_draw(n, 'caller', :seed)
                % (cast(:accounts AS bigint) - cast(:accounts AS bigint) / 4) AS live
        ) AS chosen
    ) AS drawn
    UNION ALL
    SELECT case_no, account_id, starts, case_no * 60, cohort <> 'held_BILLING_UNBILLED_USAGE'
    FROM synthetic_case WHERE dataset = 'call_detail_records'
) AS made
