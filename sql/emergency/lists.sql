-- Which lists of reference data are there?
-- params:  none
-- returns: list_name
-- locks:   none
SELECT DISTINCT list_name FROM emergency.reference
