-- How complete have the records been, day by day?
-- params:  since timestamptz
-- returns: day, needing, covered: the last reconciliation of each day, all providers together
-- locks:   none
SELECT day, sum(needing) AS needing, sum(covered) AS covered
FROM (
    SELECT DISTINCT ON (provider, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date))
        provider, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) AS day, needing, covered
    FROM emergency.coverage
    WHERE reconciled_at >= :since
    ORDER BY provider ASC, cast(reconciled_at AT TIME ZONE 'Europe/London' AS date) ASC, reconciled_at DESC
) AS latest
GROUP BY day
ORDER BY day
