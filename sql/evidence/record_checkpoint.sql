-- Record a signed checkpoint.
-- params:  size bigint, peaks bytea, note text, made_at timestamptz
-- returns: nothing
-- locks:   none beyond the new row
INSERT INTO holdfast.ledger_checkpoint (size, peaks, note, made_at) VALUES (:size, :peaks, :note, :made_at)
