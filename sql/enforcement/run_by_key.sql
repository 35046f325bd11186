-- Which run has this key?
-- params:  job text, as_of_date date, mode text, policy_digest text
-- returns: one row (all columns of run), or none
-- locks:   none
SELECT *
FROM holdfast.run
WHERE job = :job AND as_of_date = :as_of_date AND mode = :mode AND policy_digest = :policy_digest
