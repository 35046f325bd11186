-- What is this encrypted batch, and which transactions can be seen?
-- params:  batch_id bigint, lock_timeout text
-- returns: one row (all of holdfast.undo_batch, snapshot and the timeout), or none: another attempt has dealt with it
-- locks:   the row for update; no later lock is waited for for longer than lock_timeout
SELECT
    *,
    cast(pg_current_snapshot() AS text) AS snapshot,
    set_config('lock_timeout', :lock_timeout, TRUE) AS lock_timeout
FROM holdfast.undo_batch
WHERE batch_id = :batch_id
FOR UPDATE
