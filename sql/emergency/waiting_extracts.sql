-- Which extracts wait for a person's answer?
-- params:  none
-- returns: extract_id, sha256, provider, sequence, records, quarantined
-- locks:   none
SELECT extract_id, sha256, provider, sequence, records, quarantined
FROM emergency.extract
WHERE state = 'waiting' AND NOT EXISTS (SELECT FROM emergency.approval WHERE approval.sha256 = extract.sha256)
ORDER BY extract_id
