-- Was this file taken in before?
-- params:  sha256 text
-- returns: one row (extract_id, state), or none
-- locks:   none
SELECT extract_id, state FROM emergency.extract WHERE sha256 = :sha256 AND state NOT IN ('refused', 'declined')
