-- Which run of this job, day, mode and policy version is the latest edition?
-- params:  job text, as_of_date date, mode text, policy_digest text
-- returns: one row (all columns of run), or none
-- locks:   none
SELECT *
FROM holdfast.run
WHERE job = :job AND as_of_date = :as_of_date AND mode = :mode AND policy_digest = :policy_digest
ORDER BY edition DESC
LIMIT 1
