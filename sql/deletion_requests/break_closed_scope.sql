-- What did the completed requests ask for in one dataset?
-- params:  dataset text, has_subject boolean, categories text[]
-- returns: one row for each request and record, or each request (request_id bigint, dataset text, subject_key text,
--          record_key text or NULL: every record of the subject); categories are those of the dataset's columns
-- locks:   none
SELECT request.request_id, cast(:dataset AS text) AS dataset, request.subject_key, cast(NULL AS text) AS record_key
FROM holdfast.deletion_request AS request
WHERE
    request.state = 'completed'
    AND cast(:has_subject AS boolean)
    AND (
        NOT EXISTS (SELECT FROM holdfast.request_part AS part WHERE part.request_id = request.request_id)
        OR EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE
                part.request_id = request.request_id
                AND part.record_key IS NULL
                AND (part.dataset = cast(:dataset AS text) OR part.category = any(cast(:categories AS text [])))
        )
    )
UNION ALL
SELECT part.request_id, part.dataset, request.subject_key, part.record_key
FROM holdfast.request_part AS part
INNER JOIN holdfast.deletion_request AS request ON part.request_id = request.request_id
WHERE request.state = 'completed' AND part.dataset = cast(:dataset AS text) AND part.record_key IS NOT NULL
