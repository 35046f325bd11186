-- Remove a list of reference data, before it is stored anew.
-- params:  list_name text
-- returns: the number of entries removed
-- locks:   the removed rows
DELETE FROM emergency.reference WHERE list_name = :list_name
