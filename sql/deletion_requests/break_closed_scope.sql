-- What did the completed requests ask for in one dataset? Records made after that are new data, which nobody asked for.
-- params:  dataset text, has_subject boolean, categories text[]
-- returns: one row for each request and record, or each request (request_id bigint, dataset text, subject_key text,
--          record_key text or NULL: every record of the subject, until date: made up to this day); categories are those
--          of the dataset's columns. It needs the table of break_completed.sql
-- locks:   none
SELECT
    request.request_id, cast(:dataset AS text) AS dataset, request.subject_key, cast(NULL AS text) AS record_key,
    request.until
FROM completed AS request
WHERE
    cast(:has_subject AS boolean)
    AND (
        request.is_whole
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
SELECT part.request_id, part.dataset, request.subject_key, part.record_key, request.until
FROM holdfast.request_part AS part
INNER JOIN completed AS request ON part.request_id = request.request_id
WHERE part.dataset = cast(:dataset AS text) AND part.record_key IS NOT NULL
