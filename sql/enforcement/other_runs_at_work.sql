-- Which other runs are at work, or were since a plan was counted? Transactions from the future are of before a restore.
-- params:  run_id bigint, snapshot text
-- returns: one row for each (run_id bigint, job text, is_at_work boolean, has_failed boolean: its verification failed, and
--          nobody has gone on with it since), those at work first
-- locks:   none
SELECT
    other.run_id,
    other.job,
    other.state = 'executing' AS is_at_work,
    coalesce((
        SELECT entry.kind = 'verification_failed'
        FROM holdfast.ledger_entry AS entry
        WHERE
            entry.run_id = other.run_id
            AND entry.kind IN ('verification_failed', 'run_resumed', 'sweep_started', 'run_verified')
        ORDER BY entry.seq DESC
        LIMIT 1
    ), FALSE) AS has_failed
FROM holdfast.run AS other
WHERE
    other.run_id <> :run_id
    AND (
        other.state = 'executing'
        OR (
            NOT pg_visible_in_snapshot(other.worked_xid, cast(:snapshot AS pg_snapshot))
            AND other.worked_xid < pg_snapshot_xmax(pg_current_snapshot())
        )
    )
ORDER BY is_at_work DESC, other.run_id ASC
