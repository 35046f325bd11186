-- Record what a person decided on a file. The first answer stands.
-- params:  sha256 text, decision text, decided_by text, reason text, at timestamptz
-- returns: one row (decision) if it stands, else none
-- locks:   the new row
INSERT INTO emergency.approval (sha256, decision, decided_by, reason, decided_at)
VALUES (:sha256, :decision, :decided_by, :reason, :at)
ON CONFLICT (sha256) DO NOTHING
RETURNING decision
