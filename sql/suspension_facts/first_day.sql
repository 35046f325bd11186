-- Which is the first day that ever arrived?
-- params:  none
-- returns: one row (day date: NULL where none did)
-- locks:   none
SELECT min(day) AS day FROM statistics.day
