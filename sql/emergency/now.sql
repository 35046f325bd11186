-- What time is it?
-- params:  none
-- returns: one row (at)
-- locks:   none
SELECT clock_timestamp() AS at
