-- Which run of the job has done its work in this database on a day, under a policy? Of the same edition, and only while
-- there is no later one: an earlier one did not know what was asked for since.
-- params:  job text, day date, policy_digest text, edition integer
-- returns: run_id bigint, or no row
-- locks:   none
SELECT run.run_id
FROM holdfast.run
WHERE
    run.job = :job
    AND run.as_of_date = cast(:day AS date)
    AND run.policy_digest = :policy_digest
    AND run.edition = :edition
    AND run.mode = 'enforce'
    AND run.state IN ('verified', 'sealed')
    AND NOT EXISTS (
        SELECT
        FROM holdfast.run AS later
        WHERE
            later.job = run.job
            AND later.as_of_date = run.as_of_date
            AND later.mode = run.mode
            AND later.edition > run.edition
    )
