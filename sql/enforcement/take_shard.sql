-- Begin an attempt at a shard: whoever held it before is fenced from here on.
-- params:  shard_id bigint
-- returns: one row (all columns of shard, with the new epoch)
-- locks:   the shard's row; waits for a batch in flight
UPDATE holdfast.shard SET epoch = epoch + 1 WHERE shard_id = :shard_id RETURNING *
