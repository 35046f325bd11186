-- Which checkpoints of the ledger are there, oldest first?
-- params:  none
-- returns: one row for each checkpoint (size, note)
-- locks:   none
SELECT
    size,
    note
FROM holdfast.ledger_checkpoint
ORDER BY size
