-- End every unfinished run of a job but one: none of them may commit another batch.
-- params:  job text, run_id bigint
-- returns: one row for each run ended (run_id)
-- locks:   those runs' rows; waits for a batch in flight
UPDATE holdfast.run SET state = 'superseded'
WHERE
    job = :job AND run_id <> :run_id AND mode = 'enforce'
    AND state IN ('open', 'planned', 'executing', 'verified')
RETURNING run_id
