-- What was signed at this size of the ledger?
-- params:  size bigint
-- returns: one row (note text), or none
-- locks:   none
SELECT note
FROM holdfast.ledger_checkpoint
WHERE size = :size
