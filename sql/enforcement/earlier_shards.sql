-- How many shards of earlier waves must be worked through before this one may begin?
-- params:  run_id bigint, wave integer
-- returns: one row (unfinished)
-- locks:   none
SELECT count(*) AS unfinished FROM holdfast.shard WHERE run_id = :run_id AND wave < :wave AND finished_at IS NULL
