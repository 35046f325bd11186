-- Which run is this, and how many of the same job, day and mode came before it?
-- params:  run_id bigint
-- returns: one row; none if there is no such run
-- locks:   none
SELECT
    run.run_id,
    run.job,
    run.as_of,
    run.as_of_date,
    run.mode,
    run.policy_digest,
    run.state,
    run.opened_at,
    run.holds_as_of,
    run.plan_digest,
    run.refused_sources,
    (
        SELECT count(*)
        FROM holdfast.run AS earlier
        WHERE
            earlier.job = run.job
            AND earlier.as_of_date = run.as_of_date
            AND earlier.mode = run.mode
            AND earlier.run_id < run.run_id
    ) AS earlier_runs
FROM holdfast.run
WHERE run.run_id = :run_id
