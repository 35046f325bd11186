-- What does each kind of entry mean?
-- params:  none
-- returns: one row for each kind (kind, meaning), by name
-- locks:   none
SELECT known.kind, known.meaning
FROM holdfast.ledger_kind AS known
ORDER BY known.kind
