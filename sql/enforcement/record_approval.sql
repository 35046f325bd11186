-- Record what a person decided about a plan; the first answer stands.
-- params:  run_id bigint, plan_digest text, decision text, decided_by text
-- returns: one row (decision) if it is the first, else none
-- locks:   the new row
INSERT INTO holdfast.approval (run_id, plan_digest, decision, decided_by, decided_at)
VALUES (:run_id, :plan_digest, :decision, :decided_by, clock_timestamp())
ON CONFLICT (run_id, plan_digest) DO NOTHING
RETURNING decision
