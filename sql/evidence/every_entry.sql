-- What is in the ledger, in order, with the time as the entries write it?
-- params:  none
-- returns: one row for each entry (seq, at, run_id, kind, entry, prev_hash, hash)
-- locks:   none
SELECT
    seq,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
    run_id,
    kind,
    entry,
    prev_hash,
    hash
FROM holdfast.ledger_entry
ORDER BY seq
