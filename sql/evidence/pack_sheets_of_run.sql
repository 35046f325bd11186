-- Which entries have the digests of what Airflow said of this run, whether or not the copies are still there?
-- params:  run_id bigint
-- returns: rows (seq); several where Airflow said more each time, none before it was first copied
-- locks:   none
SELECT entry.seq
FROM holdfast.ledger_entry AS entry
INNER JOIN holdfast.run
    ON
        run.job = cast(entry.entry AS jsonb) -> 'facts' ->> 'job'
        AND cast(run.as_of_date AS text) = cast(entry.entry AS jsonb) -> 'facts' ->> 'night'
WHERE entry.kind = 'history_copied' AND run.run_id = :run_id
ORDER BY entry.seq
