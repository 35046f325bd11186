-- How many rows has a run changed, rule by rule?
-- params:  run_id bigint
-- returns: one row for each rule with shards (rule_id, changed_rows)
-- locks:   none
SELECT rule_id, sum(done_rows) AS changed_rows FROM holdfast.shard WHERE run_id = :run_id GROUP BY rule_id
