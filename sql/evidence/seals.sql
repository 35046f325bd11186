-- Which runs are sealed, oldest seal first?
-- params:  none
-- returns: one row for each seal (run_id, job, as_of, first_seq, last_seq, entries, root, sealed_seq, head_hash, sealed_at)
-- locks:   none
SELECT
    run_id,
    job,
    as_of,
    first_seq,
    last_seq,
    entries,
    root,
    sealed_seq,
    head_hash,
    sealed_at
FROM holdfast.ledger_seal
ORDER BY sealed_seq
