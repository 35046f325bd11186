-- Which days are complete, so that nothing of them is still on its way, and how many accounts were active?
-- params:  since date, until date
-- returns: one row for each complete day (day date, individuals bigint, businesses bigint, missed_looked_at bigint,
--          missed_found bigint: of accounts that were not suspended, how many were looked at and should have been)
-- locks:   none
SELECT day, individuals, businesses, missed_looked_at, missed_found
FROM provider.suspension_day
WHERE day >= :since AND day < :until
