-- Which run of the job has done its work in this database on a day, under a policy? Of the same edition: an earlier one did
-- not know what was asked for since.
-- params:  job text, day date, policy_digest text, edition integer
-- returns: run_id bigint, or no row
-- locks:   none
SELECT run_id
FROM holdfast.run
WHERE
    job = :job
    AND as_of_date = cast(:day AS date)
    AND policy_digest = :policy_digest
    AND edition = :edition
    AND mode = 'enforce'
    AND state IN ('verified', 'sealed')
