-- Which sequence number was the last one that was taken in from a provider?
-- params:  provider text
-- returns: one row (last_sequence); NULL if there was none
-- locks:   none
SELECT max(sequence) AS last_sequence
FROM emergency.extract
WHERE provider = :provider AND state NOT IN ('refused', 'declined')
