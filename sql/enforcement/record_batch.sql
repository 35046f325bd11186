-- Note how far a shard has come.
-- params:  shard_id bigint, next_block bigint, changed_rows bigint
-- returns: one row (rule_rows, limit_rows): what the rule's shards have changed so far, and may at most
-- locks:   the shard's row (held already)
WITH progressed AS (
    UPDATE holdfast.shard
    SET next_block = :next_block, batches = batches + 1, done_rows = done_rows + :changed_rows
    WHERE shard_id = :shard_id
    RETURNING shard_id, run_id, rule_id, done_rows
)

SELECT
    p.done_rows + coalesce((
        SELECT sum(o.done_rows)
        FROM holdfast.shard AS o
        WHERE o.run_id = p.run_id AND o.rule_id = p.rule_id AND o.shard_id <> p.shard_id
    ), 0) AS rule_rows,
    r.limit_rows
FROM progressed AS p
INNER JOIN holdfast.plan_rule AS r ON p.run_id = r.run_id AND p.rule_id = r.rule_id
