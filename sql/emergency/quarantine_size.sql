-- How much is in quarantine?
-- params:  none
-- returns: one row: records, oldest
-- locks:   none
SELECT count(*) AS records, min(quarantined_at) AS oldest
FROM emergency.quarantine
WHERE ended_at IS NULL
