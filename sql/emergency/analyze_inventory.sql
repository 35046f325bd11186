-- Let the planner know the inventory that was read just now.
-- params:  none
-- returns: nothing
-- locks:   none that stop others
ANALYZE emergency.inventory
