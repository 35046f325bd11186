-- Which shards does a run have?
-- params:  run_id bigint
-- returns: one row for each shard (all columns of shard)
-- locks:   none
SELECT * FROM holdfast.shard WHERE run_id = :run_id ORDER BY wave, rule_id, shard_no
