-- How many addresses must be checked again, by month?
-- params:  none
-- returns: due_month, numbers
-- locks:   none
SELECT due_month, cast(sum(numbers) AS bigint) AS numbers
FROM emergency.audit_due
GROUP BY due_month
ORDER BY due_month
