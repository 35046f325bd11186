-- What did a run leave in the ledger, in the order of writing?
-- params:  run_id bigint
-- returns: one row for each entry (seq, at, kind, entry, hash)
-- locks:   none
SELECT
    seq,
    at,
    kind,
    entry,
    hash
FROM holdfast.ledger_entry
WHERE run_id = :run_id
ORDER BY seq
