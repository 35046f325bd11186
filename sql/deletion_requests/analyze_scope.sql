-- Let the planner know what open requests ask for.
-- params:  none
-- returns: one row without meaning
-- locks:   the scope's table, against other changes of its shape
SELECT holdfast.analyze_scope()
