-- Add a shard to a run.
-- params:  run_id bigint, rule_id text, wave integer, shard_no integer, label text, kind text, table_schema text, table_name text, from_block bigint, to_block bigint
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.shard (
    run_id, rule_id, wave, shard_no, label, kind, table_schema, table_name, from_block, to_block, next_block
)
VALUES (
    :run_id, :rule_id, :wave, :shard_no, :label, :kind, :table_schema, :table_name, :from_block, :to_block, :from_block
)
