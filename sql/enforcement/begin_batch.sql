-- May this attempt do another batch, where does it begin, and which transactions could it see?
-- params:  shard_id bigint, epoch integer, lock_timeout text, idle_timeout text
-- returns: one row (next_block, batches, snapshot and the two timeouts), or none: a newer attempt has the shard, or the run has ended
-- locks:   the shard's row for update, the run's row for share; no later lock is waited for for longer than lock_timeout
SELECT
    s.next_block,
    s.batches,
    cast(pg_current_snapshot() AS text) AS snapshot,
    set_config('lock_timeout', :lock_timeout, TRUE) AS lock_timeout,
    -- A worker that is frozen within its batch would keep the shard, and perhaps the register, locked for good.
    set_config('idle_in_transaction_session_timeout', :idle_timeout, TRUE) AS idle_timeout
FROM holdfast.shard AS s
INNER JOIN holdfast.run AS r ON s.run_id = r.run_id
WHERE s.shard_id = :shard_id AND s.epoch = :epoch AND r.state = 'executing'
FOR UPDATE OF s FOR SHARE OF r
