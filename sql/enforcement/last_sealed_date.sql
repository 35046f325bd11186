-- When was this job last sealed before a day?
-- params:  job text, before date
-- returns: one row (as_of_date, NULL if never)
-- locks:   none
SELECT max(as_of_date) AS as_of_date
FROM holdfast.run
WHERE job = :job AND mode = 'enforce' AND state = 'sealed' AND as_of_date < :before
