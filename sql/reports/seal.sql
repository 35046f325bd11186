-- What closes the evidence of the run?
-- params:  run_id bigint
-- returns: one row; none if the run is not sealed
-- locks:   none
SELECT
    first_seq,
    last_seq,
    entries,
    root,
    sealed_seq,
    head_hash,
    sealed_at
FROM holdfast.ledger_seal
WHERE run_id = :run_id
