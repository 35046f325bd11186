-- Forget what was staged for the month: another one may be computed in the same transaction.
-- params:  none
-- returns: nothing
-- locks:   none that others meet
DROP TABLE month_decision, month_request, month_notice, month_restoration
