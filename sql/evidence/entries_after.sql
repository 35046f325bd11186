-- What did the ledger gain after an entry, in order?
-- params:  seq bigint
-- returns: one row for each entry (seq, entry)
-- locks:   none
SELECT
    seq,
    entry
FROM holdfast.ledger_entry
WHERE seq > :seq
ORDER BY seq
