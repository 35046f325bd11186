-- Record what a person decided about a plan. The first answer stands; that nobody answered in time is none.
-- params:  run_id bigint, plan_digest text, decision text, decided_by text
-- returns: one row (decision) if it stands, else none: there is an answer, or the time has run out before
-- locks:   the new row
INSERT INTO holdfast.approval (run_id, plan_digest, decision, decided_by, decided_at)
VALUES (:run_id, :plan_digest, :decision, :decided_by, clock_timestamp())
ON CONFLICT (run_id, plan_digest) DO UPDATE
SET decision = excluded.decision, decided_by = excluded.decided_by, decided_at = excluded.decided_at
WHERE approval.decision = 'expired' AND excluded.decision <> 'expired'
RETURNING decision
