-- How many of the numbers that need a record have one?
-- params:  provider text, at timestamptz
-- returns: one row (needing, covered)
-- locks:   the new row
INSERT INTO emergency.coverage (reconciled_at, provider, needing, covered)
SELECT
    :at, :provider, count(*),
    count(*) FILTER (WHERE record.state IN ('pending', 'registered'))
FROM emergency.inventory
LEFT JOIN emergency.number_record AS record
    ON record.provider = inventory.provider AND record.number = inventory.number
WHERE inventory.provider = :provider AND inventory.is_live AND inventory.calls_999 AND NOT inventory.erased
RETURNING needing, covered
