-- Which ceases are done? Those that are acknowledged among these records of some subjects, and those that are no longer
-- among them: the record went, after its acknowledgement, which no other way lets it go.
-- params:  subject_keys text[], records jsonb, now timestamptz
-- returns: record_key text of each
-- locks:   those rows
UPDATE holdfast.emergency_cease AS cease
SET done_at = cast(:now AS timestamptz)
FROM holdfast.deletion_request AS request
WHERE
    cease.done_at IS NULL
    AND request.request_id = cease.request_id
    AND request.subject_key = any(cast(:subject_keys AS text []))
    AND NOT EXISTS (
        SELECT
        FROM jsonb_to_recordset(cast(:records AS jsonb)) AS found (
            dataset text, record_key text, is_acknowledged boolean
        )
        WHERE found.dataset = cease.dataset AND found.record_key = cease.record_key AND NOT found.is_acknowledged
    )
RETURNING cease.record_key
