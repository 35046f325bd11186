-- Up to which day has this job been enforced or tried?
-- params:  job text
-- returns: one row (as_of_date, NULL if never)
-- locks:   none
SELECT max(as_of_date) AS as_of_date FROM holdfast.run WHERE job = :job AND mode = 'enforce'
