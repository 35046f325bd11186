-- Which releases wait to be delivered, in the order in which they must go?
-- params:  none
-- returns: extract_id
-- locks:   none
SELECT extract_id FROM emergency.release WHERE delivered_at IS NULL ORDER BY provider ASC, sequence ASC
