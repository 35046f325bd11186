-- Let the planner know how many rows the scope, the matrix and the register of erasures have by now.
-- params:  none
-- returns: one row without meaning
-- locks:   those tables, against VACUUM and changes of their shape
SELECT holdfast.analyze_requests()
