-- A shard has been worked through to its end.
-- params:  shard_id bigint, epoch integer
-- returns: one row (done_rows, batches), or none if a newer attempt has the shard
-- locks:   the shard's row
UPDATE holdfast.shard SET finished_at = clock_timestamp()
WHERE shard_id = :shard_id AND epoch = :epoch
RETURNING done_rows, batches
