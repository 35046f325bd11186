-- Go through a rule's shards once more: rows moved while they were worked on. They stay finished: were the second
-- passage interrupted, it would be begun again.
-- params:  run_id bigint, rule_id text
-- returns: one row for each shard (shard_id)
-- locks:   the shards' rows
UPDATE holdfast.shard SET next_block = from_block
WHERE run_id = :run_id AND rule_id = :rule_id
RETURNING shard_id
