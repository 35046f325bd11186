-- Note how far a shard has come, and be ready to wait for the ledger while others commit.
-- params:  shard_id bigint, next_block bigint, changed_rows bigint
-- returns: one row (lock_timeout)
-- locks:   the shard's row (held already); from here on a lock is waited for for up to 5 s
UPDATE holdfast.shard
SET next_block = :next_block, batches = batches + 1, done_rows = done_rows + :changed_rows
WHERE shard_id = :shard_id
RETURNING set_config('lock_timeout', '5s', TRUE) AS lock_timeout
