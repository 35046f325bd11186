-- Record what a person decided on a file. The first answer of a person stands.
-- params:  sha256 text, decision text, decided_by text, reason text, at timestamptz
-- returns: one row (decision) if it stands, else none
-- locks:   the new row
INSERT INTO emergency.approval (sha256, decision, decided_by, reason, decided_at)
VALUES (:sha256, :decision, :decided_by, :reason, :at)
ON CONFLICT (sha256) DO UPDATE
SET
    decision = excluded.decision, decided_by = excluded.decided_by, reason = excluded.reason,
    decided_at = excluded.decided_at
WHERE approval.decision = 'expired' AND excluded.decision <> 'expired'
RETURNING decision
