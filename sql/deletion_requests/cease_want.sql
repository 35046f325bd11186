-- Want the cease of these records, where a run was asked to erase them and no cease was sent yet; each once.
-- params:  run_id bigint, records jsonb, now timestamptz
-- returns: record_key text of each new one
-- locks:   the new rows
INSERT INTO holdfast.emergency_cease (dataset, record_key, request_id, wanted_at)
SELECT found.dataset, found.record_key, min(request.request_id) AS request_id, cast(:now AS timestamptz) AS wanted_at
FROM jsonb_to_recordset(cast(:records AS jsonb)) AS found (
    subject_key text, dataset text, record_key text, is_ceased boolean, is_acknowledged boolean
)
INNER JOIN holdfast.deletion_request AS request
    ON request.subject_key = found.subject_key AND request.state IN ('executing', 'partly_completed')
INNER JOIN holdfast.request_after AS after
    ON after.run_id = :run_id AND after.request_id = request.request_id AND after.dataset = found.dataset
WHERE NOT found.is_ceased
GROUP BY found.dataset, found.record_key
ON CONFLICT (dataset, record_key) DO NOTHING
RETURNING record_key
