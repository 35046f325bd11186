-- Where does the ledger end?
-- params:  none
-- returns: one row (seq, hash)
-- locks:   none
SELECT
    seq,
    hash
FROM holdfast.ledger_head
