-- Let the planner know how many completed requests there are.
-- params:  none
-- returns: none
-- locks:   the table of this transaction
ANALYZE completed
