-- Which records are in quarantine, by number of the record in its extract? The oldest first, and not all of very many.
-- params:  most bigint
-- returns: extract_id, record_no, rule_ids, quarantined_at
-- locks:   none
SELECT extract_id, record_no, rule_ids, quarantined_at
FROM emergency.quarantine
WHERE ended_at IS NULL
ORDER BY quarantined_at ASC, extract_id ASC, record_no ASC
LIMIT :most
