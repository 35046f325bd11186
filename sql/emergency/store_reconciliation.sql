-- How many of the numbers that need a record have one, and an address that was checked within the year?
-- params:  provider text, at timestamptz, verified_since date, day date
-- returns: one row (needing, covered, verified)
-- locks:   the new row
INSERT INTO emergency.reconciliation (reconciled_at, provider, needing, covered, verified)
SELECT
    :at, :provider, count(*),
    count(*) FILTER (WHERE record.state IN ('pending', 'registered')),
    count(*) FILTER (WHERE inventory.verified_on BETWEEN :verified_since AND :day)
FROM emergency.inventory
LEFT JOIN emergency.number_record AS record
    ON record.provider = inventory.provider AND record.number = inventory.number
WHERE inventory.provider = :provider AND inventory.is_live AND inventory.calls_999 AND NOT inventory.erased
RETURNING needing, covered, verified
