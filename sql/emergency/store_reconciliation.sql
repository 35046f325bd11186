-- How do the records stand against the numbers that need one? Stale ones are found gaps, so call it after looking for them.
-- params:  provider text, at timestamptz, verified_since date, day date
-- returns: one row (needing, covered, verified, told, stale, rejected, calls)
-- locks:   the new row
INSERT INTO emergency.reconciliation (
    reconciled_at, provider, needing, covered, verified, told, stale, rejected, calls
)
SELECT
    :at, :provider,
    count(*) FILTER (WHERE needs),
    count(*) FILTER (WHERE needs AND record.state IN ('pending', 'registered')),
    count(*) FILTER (WHERE needs AND verified_on BETWEEN :verified_since AND :day),
    count(*) FILTER (WHERE record.state IN ('pending', 'registered', 'failed')),
    (SELECT count(DISTINCT number) FROM pg_temp.gap_found WHERE rule_id IN ('E502', 'E604')),
    (SELECT count(*) FROM (SELECT DISTINCT provider, number FROM emergency.reject WHERE ended_at IS NULL) AS rejected),
    (SELECT count(*) FROM emergency.call_without_data WHERE ended_at IS NULL)
FROM (
    SELECT number, verified_on, is_live AND calls_999 AND NOT erased AS needs
    FROM emergency.inventory WHERE provider = :provider
) AS inventory
FULL JOIN (SELECT number, state FROM emergency.number_record WHERE provider = :provider) AS record
    ON record.number = inventory.number
RETURNING needing, covered, verified, told, stale, rejected, calls
