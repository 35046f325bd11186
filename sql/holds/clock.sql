-- What time is it for the database?
-- params:  none
-- returns: one row (at timestamptz)
-- locks:   none
SELECT clock_timestamp() AS at
