-- Empty the copy of the number inventory, before it is read anew.
-- params:  none
-- returns: nothing
-- locks:   the whole table, until the transaction ends: two readings wait for one another
TRUNCATE emergency.inventory
