-- Which customers are there? One in four has left; four in five of the others have been there nine years or more.
-- params: accounts bigint, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.account
INSERT INTO provider.account (account_id, kind, status, opened_at, closed_at, contract_ended_on)
WITH reach AS (
    SELECT today, last_due, first_kept, overdue_days, CASE WHEN backlog THEN 60 ELSE 6 END AS due_percent
    FROM synthetic_window WHERE dataset = 'contacts'
),

known AS (
    SELECT
        account_id,
        max(CASE dataset WHEN 'contacts' THEN cast(starts AT TIME ZONE 'Europe/London' AS date) END)
            AS contract_ended_on
    FROM synthetic_case
    GROUP BY account_id
),

made AS (
    SELECT
        1000 + n AS account_id,
        CASE
            WHEN n % 4 <> 0 THEN NULL
            WHEN provider.synthetic_draw(n, 'left long ago', :seed) % 100 < reach.due_percent
                THEN reach.last_due - cast(provider.synthetic_draw(n, 'left', :seed) % reach.overdue_days AS integer)
            ELSE reach.first_kept + cast(
                provider.synthetic_draw(n, 'left', :seed) % (reach.today - reach.first_kept) AS integer
            )
        END AS contract_ended_on,
        CASE
            WHEN n % 4 = 0 OR provider.synthetic_draw(n, 'newer', :seed) % 5 > 0
                THEN 3287 + provider.synthetic_draw(n, 'opened', :seed) % 730
            ELSE 640 + provider.synthetic_draw(n, 'opened', :seed) % 2647
        END AS days_ago
    FROM generate_series(1, cast(:accounts AS bigint)) AS n CROSS JOIN reach
),

everyone AS (
    SELECT account_id, contract_ended_on, 4017 AS days_ago FROM known
    UNION ALL
    SELECT account_id, contract_ended_on, days_ago FROM made
)

SELECT
    everyone.account_id,
    CASE provider.synthetic_draw(everyone.account_id, 'kind', :seed) % 4 WHEN 0 THEN 'business' ELSE 'individual' END,
    CASE
        WHEN everyone.contract_ended_on < reach.today THEN 'closed'
        WHEN
            everyone.account_id > 1000
            AND provider.synthetic_draw(everyone.account_id, 'suspended now', :seed) % 200 = 0
            THEN 'suspended'
        ELSE 'active'
    END,
    provider.synthetic_local(reach.today - cast(everyone.days_ago AS integer), time '09:30'),
    CASE
        WHEN everyone.contract_ended_on < reach.today
            THEN provider.synthetic_local(everyone.contract_ended_on, time '18:00')
    END,
    everyone.contract_ended_on
FROM everyone CROSS JOIN reach
