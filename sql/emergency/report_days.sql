-- How did the records stand, day by day, and what came and left?
-- params:  since timestamptz
-- returns: day; needing, covered, verified, told, stale, rejected, calls: by the last reconciliation of the day, NULL if
--     there was none; records, released, quarantined: of the extracts that came and left, NULL if none did
-- locks:   none
WITH latest AS (
    SELECT DISTINCT ON (provider, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date))
        cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) AS day,
        needing, covered, verified, told, stale, rejected, calls
    FROM emergency.reconciliation
    WHERE reconciled_at >= :since
    ORDER BY provider ASC, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) ASC, reconciled_at DESC
),

standing AS (
    SELECT
        day, cast(sum(needing) AS bigint) AS needing, cast(sum(covered) AS bigint) AS covered,
        cast(sum(verified) AS bigint) AS verified, cast(sum(told) AS bigint) AS told,
        cast(sum(stale) AS bigint) AS stale, cast(max(rejected) AS bigint) AS rejected,
        cast(max(calls) AS bigint) AS calls
    FROM latest
    GROUP BY day
),

moved AS (
    SELECT
        cast(arrived_at AT TIME ZONE 'Europe/London' AS date) AS day, cast(sum(records) AS bigint) AS records,
        cast(sum(released) AS bigint) AS released, cast(sum(quarantined) AS bigint) AS quarantined
    FROM emergency.extract
    WHERE arrived_at >= :since AND state IN ('released', 'delivered')
    GROUP BY day
)

SELECT
    coalesce(standing.day, moved.day) AS day, standing.needing, standing.covered, standing.verified, standing.told, standing.stale, standing.rejected,
    standing.calls, moved.records, moved.released, moved.quarantined
FROM standing
FULL JOIN moved ON moved.day = standing.day
ORDER BY day
