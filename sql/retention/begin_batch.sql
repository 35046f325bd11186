-- May this attempt do another batch, where does it begin, and which transactions could it see?
-- params:  shard_id bigint, epoch integer
-- returns: one row (next_block, batches, snapshot, lock_timeout), or none: a newer attempt has the shard, or the run has ended
-- locks:   the shard's row for update, the run's row for share; from here on no lock is waited for for more than 200 ms
SELECT
    s.next_block,
    s.batches,
    cast(pg_current_snapshot() AS text) AS snapshot,
    set_config('lock_timeout', '200ms', TRUE) AS lock_timeout
FROM holdfast.shard AS s
INNER JOIN holdfast.run AS r ON s.run_id = r.run_id
WHERE s.shard_id = :shard_id AND s.epoch = :epoch AND r.state = 'executing'
FOR UPDATE OF s FOR SHARE OF r
