-- Which exceptions are in force, and until when?
-- params:  day date
-- returns: exception_id, rule_id, reason, owner, accepted_on, last_day
-- locks:   none
SELECT exception_id, rule_id, reason, owner, accepted_on, last_day
FROM emergency.exception
WHERE ended_on IS NULL AND last_day >= :day
ORDER BY last_day ASC, exception_id ASC
