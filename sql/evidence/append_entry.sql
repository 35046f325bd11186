-- Add one entry to the ledger.
-- params:  kind text, facts text, run_id bigint
-- returns: one row (seq)
-- locks:   the ledger's head row FOR UPDATE until the end of the transaction
SELECT holdfast.ledger_append(cast(:kind AS text), cast(:facts AS text), cast(:run_id AS bigint)) AS seq
