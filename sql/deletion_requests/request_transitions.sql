-- What states has a request gone through?
-- params:  request_id bigint
-- returns: one row for each change, oldest first (from_state, to_state, at, by_whom, run_id)
-- locks:   none
SELECT from_state, to_state, at, by_whom, run_id
FROM holdfast.request_transition
WHERE request_id = :request_id
ORDER BY transition_id
