-- Which extracts came on this day, and what became of them?
-- params:  day date
-- returns: extract_id, file_name, provider, sequence, extract_type, state, records, released, quarantined, warned, delivered
-- locks:   none
SELECT
    extract.extract_id, extract.file_name, extract.provider, extract.sequence, extract.extract_type, extract.state,
    extract.records, extract.released, extract.quarantined, extract.warned,
    release.delivered_at IS NOT NULL AS delivered
FROM emergency.extract
LEFT JOIN emergency.release ON release.extract_id = extract.extract_id
WHERE cast(extract.arrived_at AT TIME ZONE 'Europe/London' AS date) = :day OR extract.state = 'waiting'
ORDER BY extract.extract_id
