-- Give a run its plan.
-- params:  run_id bigint, plan_digest text, snapshot text, holds_as_of timestamptz
-- returns: one row (run_id) if the run may still be planned, else none
-- locks:   the run's row
UPDATE holdfast.run
SET state = 'planned', plan_digest = :plan_digest, plan_snapshot = :snapshot, holds_as_of = :holds_as_of
WHERE run_id = :run_id AND state IN ('open', 'planned')
RETURNING run_id
