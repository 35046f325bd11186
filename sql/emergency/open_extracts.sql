-- Which extracts are to be worked on, in the order in which they must leave?
-- params:  none
-- returns: extract_id, provider
-- locks:   none
SELECT extract_id, provider
FROM emergency.extract
WHERE state IN ('received', 'judged', 'waiting')
ORDER BY provider ASC, sequence ASC
