-- Tell the planner what was staged for the month.
-- params:  none
-- returns: nothing
-- locks:   none that others meet
ANALYZE month_decision, month_request, month_notice, month_restoration
