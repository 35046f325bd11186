-- Which extracts wait for a person?
-- params:  none
-- returns: extract_id, sha256, provider, sequence
-- locks:   none
SELECT extract_id, sha256, provider, sequence FROM emergency.extract WHERE state = 'waiting'
ORDER BY provider ASC, sequence ASC
