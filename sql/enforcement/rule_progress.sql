-- How many rows have the shards of this shard's rule changed so far, and how many may they at most?
-- params:  shard_id bigint
-- returns: one row (rule_rows, limit_rows); exact only while the ledger's head is locked, since others commit
-- locks:   none
SELECT
    cast(sum(every.done_rows) AS bigint) AS rule_rows,
    rule.limit_rows
FROM holdfast.shard AS one
INNER JOIN holdfast.shard AS every ON one.run_id = every.run_id AND one.rule_id = every.rule_id
INNER JOIN holdfast.plan_rule AS rule ON one.run_id = rule.run_id AND one.rule_id = rule.rule_id
WHERE one.shard_id = :shard_id
GROUP BY rule.limit_rows
