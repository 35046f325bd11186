-- May this attempt do another batch, and where does it begin?
-- params:  shard_id bigint, epoch integer
-- returns: one row (next_block, batches), or none: a newer attempt has the shard, or the run has ended
-- locks:   the shard's row for update, the run's row for share
SELECT s.next_block, s.batches
FROM holdfast.shard AS s
INNER JOIN holdfast.run AS r ON s.run_id = r.run_id
WHERE s.shard_id = :shard_id AND s.epoch = :epoch AND r.state = 'executing'
FOR UPDATE OF s FOR SHARE OF r
