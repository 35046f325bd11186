-- Which keys followed one another, oldest rotation first?
-- params:  none
-- returns: one row for each rotation (size, note)
-- locks:   none
SELECT
    size,
    note
FROM holdfast.ledger_key_rotation
ORDER BY size
