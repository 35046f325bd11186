-- Let no hold be placed or changed until this transaction ends; waits for those being placed.
-- params:  none
-- returns: none
-- locks:   the register of holds, SHARE
LOCK TABLE holdfast.hold IN SHARE MODE
