-- Fix the moment and the snapshot in which a plan is counted.
-- params:  none
-- returns: one row (holds_as_of, snapshot)
-- locks:   none
SELECT clock_timestamp() AS holds_as_of, cast(pg_current_snapshot() AS text) AS snapshot
