-- Record that another key signs from here on.
-- params:  size bigint, note text, made_at timestamptz
-- returns: nothing
-- locks:   none beyond the new row
INSERT INTO holdfast.ledger_key_rotation (size, note, made_at) VALUES (:size, :note, :made_at)
