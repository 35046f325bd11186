-- How many staged holds are there? Nothing else tells the planner about a temporary table.
-- params:  none
-- returns: nothing
-- locks:   none
ANALYZE pg_temp.hold_staged
