-- Which runs were there last, and is the evidence of each closed?
-- params:  job text, before_run bigint, runs integer
-- returns: at most runs rows, the latest first (run_id bigint, job text, as_of_date date, edition integer, state text,
--          opened_at timestamptz, sealed_at timestamptz, entries bigint, root bytea); job '' for all jobs; the last three
--          are NULL while the run is open; before_run NULL: from the last
-- locks:   none
SELECT
    run.run_id,
    run.job,
    run.as_of_date,
    run.edition,
    run.state,
    run.opened_at,
    seal.sealed_at,
    seal.entries,
    seal.root
FROM holdfast.run AS run
LEFT JOIN holdfast.ledger_seal AS seal ON run.run_id = seal.run_id
WHERE
    run.mode = 'enforce'
    AND (cast(:job AS text) = '' OR run.job = :job)
    AND (cast(:before_run AS bigint) IS NULL OR run.run_id < :before_run)
ORDER BY run.run_id DESC
LIMIT :runs
