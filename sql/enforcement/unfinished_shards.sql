-- How many shards of a run are not worked through?
-- params:  run_id bigint
-- returns: one row (unfinished)
-- locks:   none
SELECT count(*) AS unfinished FROM holdfast.shard WHERE run_id = :run_id AND finished_at IS NULL
