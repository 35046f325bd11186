-- Which runs did a job have for a day, of whatever policy and edition?
-- params:  job text, day date
-- returns: one row for each, the latest first (run_id bigint, mode text, edition integer, state text, opened_at timestamptz,
--          sealed_at timestamptz, entries bigint); the last two are NULL while the run is open
-- locks:   none
SELECT
    run.run_id,
    run.mode,
    run.edition,
    run.state,
    run.opened_at,
    seal.sealed_at,
    seal.entries
FROM holdfast.run AS run
LEFT JOIN holdfast.ledger_seal AS seal ON run.run_id = seal.run_id
WHERE run.job = :job AND run.as_of_date = :day
ORDER BY run.run_id DESC
