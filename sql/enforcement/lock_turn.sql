-- Let no other run begin its work until this transaction ends; waits for one that is just beginning. Before any other
-- statement of a REPEATABLE READ transaction, so that it sees what that one has done.
-- params:  none
-- returns: none
-- locks:   holdfast.turn, EXCLUSIVE
LOCK TABLE holdfast.turn IN EXCLUSIVE MODE
