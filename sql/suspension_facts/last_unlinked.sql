-- From which day on may facts be taken? The first after the months that were cut loose.
-- params:  none
-- returns: one row (first_day date: NULL where no month was)
-- locks:   none
SELECT cast(max(month) + interval '1 month' AS date) AS first_day FROM statistics.unlinked
