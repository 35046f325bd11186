-- Let this transaction sort and hash a large extract in memory.
-- params:  none
-- returns: nothing
-- locks:   none
SET LOCAL work_mem = '192MB'
