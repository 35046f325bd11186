-- Move an extract from one state to another.
-- params:  extract_id bigint, state text, from_states text[]
-- returns: one row (extract_id) if it was in one of the states
-- locks:   the extract's row
UPDATE emergency.extract SET state = :state
WHERE extract_id = :extract_id AND state = any(cast(:from_states AS text []))
RETURNING extract_id
