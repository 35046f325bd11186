-- How did the records stand, day by day?
-- params:  since timestamptz
-- returns: day, needing, covered, verified: the last reconciliation of each day, all providers together
-- locks:   none
SELECT day, sum(needing) AS needing, sum(covered) AS covered, sum(verified) AS verified
FROM (
    SELECT DISTINCT ON (provider, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date))
        provider, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) AS day, needing, covered, verified
    FROM emergency.reconciliation
    WHERE reconciled_at >= :since
    ORDER BY provider ASC, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) ASC, reconciled_at DESC
) AS latest
GROUP BY day
ORDER BY day
