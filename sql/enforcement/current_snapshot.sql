-- Which transactions can be seen now?
-- params:  none
-- returns: one row (snapshot)
-- locks:   none
SELECT cast(pg_current_snapshot() AS text) AS snapshot
