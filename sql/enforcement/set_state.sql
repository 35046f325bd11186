-- Move a run from one state to another.
-- params:  run_id bigint, state text, from_states text[]
-- returns: one row (run_id) if it was in one of from_states, else none
-- locks:   the run's row
UPDATE holdfast.run SET state = :state
WHERE run_id = :run_id AND state = any(cast(:from_states AS text []))
RETURNING run_id
