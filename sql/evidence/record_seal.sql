-- Record a run's seal, whose head_hash is the hash of its entry run_sealed.
-- params:  run_id bigint, job text, as_of date, first_seq bigint, last_seq bigint, entries bigint, root bytea, sealed_seq bigint, sealed_at timestamptz
-- returns: the row; none if the run has other entries before its seal than the root covers
-- locks:   none beyond the new row
INSERT INTO holdfast.ledger_seal
(run_id, job, as_of, first_seq, last_seq, entries, root, sealed_seq, head_hash, sealed_at)
SELECT
    sealed.run_id,
    cast(:job AS text),
    cast(:as_of AS date),
    cast(:first_seq AS bigint),
    cast(:last_seq AS bigint),
    cast(:entries AS bigint),
    cast(:root AS bytea),
    sealed.seq,
    sealed.hash,
    cast(:sealed_at AS timestamptz)
FROM holdfast.ledger_entry AS sealed
WHERE
    sealed.seq = cast(:sealed_seq AS bigint)
    AND sealed.run_id = cast(:run_id AS bigint)
    AND cast(:entries AS bigint) = (
        SELECT count(*)
        FROM holdfast.ledger_entry AS covered
        WHERE covered.run_id = sealed.run_id AND covered.seq < sealed.seq
    )
RETURNING run_id, job, as_of, first_seq, last_seq, entries, root, sealed_seq, head_hash, sealed_at
