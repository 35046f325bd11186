-- Which of these new requests ask for what an open request of the same subject asks for already? Each is linked to the
-- first such. Two overlap if one seeks what the other offers: a request without parts is for the whole account and meets
-- any other; a dataset meets itself and its records, a record itself and its dataset, and a category itself and every
-- dataset with a column of it. No pairs of requests are formed, so a thousand of one subject cost no more than others.
-- params:  requests bigint[], datasets text[], categories text[]
-- returns: one row for each that is linked (request_id bigint, duplicate_of bigint)
-- locks:   the rows linked
WITH has_column AS MATERIALIZED (
    SELECT dataset, category
    FROM unnest(cast(:datasets AS text []), cast(:categories AS text [])) AS known (dataset, category)
),

arrived AS MATERIALIZED (
    SELECT request.request_id, request.subject_key, part.dataset, part.category, part.record_key
    FROM holdfast.deletion_request AS request
    LEFT JOIN holdfast.request_part AS part ON request.request_id = part.request_id
    WHERE request.request_id = any(cast(:requests AS bigint []))
),

open_part AS MATERIALIZED (
    SELECT request.request_id, request.subject_key, part.dataset, part.category, part.record_key
    FROM holdfast.deletion_request AS request
    LEFT JOIN holdfast.request_part AS part ON request.request_id = part.request_id
    WHERE request.closed_at IS NULL AND request.subject_key IN (SELECT subject_key FROM arrived)
),

sought AS (
    SELECT request_id, subject_key, 'account' AS what FROM arrived
    UNION
    SELECT request_id, subject_key, 'anything' FROM arrived WHERE dataset IS NULL AND category IS NULL
    UNION
    SELECT request_id, subject_key, 'category ' || category FROM arrived WHERE category IS NOT NULL
    UNION
    SELECT request_id, subject_key, 'some of ' || dataset FROM arrived WHERE dataset IS NOT NULL AND record_key IS NULL
    UNION
    SELECT request_id, subject_key, 'all of ' || dataset FROM arrived WHERE record_key IS NOT NULL
    UNION
    SELECT request_id, subject_key, 'record ' || dataset || ' ' || record_key FROM arrived WHERE record_key IS NOT NULL
    UNION
    SELECT arrived.request_id, arrived.subject_key, 'some of ' || has_column.dataset
    FROM arrived
    INNER JOIN has_column ON arrived.category = has_column.category
    UNION
    SELECT arrived.request_id, arrived.subject_key, 'category ' || has_column.category
    FROM arrived
    INNER JOIN has_column ON arrived.dataset = has_column.dataset
),

offered AS (
    SELECT request_id, subject_key, 'anything' AS what FROM open_part
    UNION ALL
    SELECT request_id, subject_key, 'account' FROM open_part WHERE dataset IS NULL AND category IS NULL
    UNION ALL
    SELECT request_id, subject_key, 'category ' || category FROM open_part WHERE category IS NOT NULL
    UNION ALL
    SELECT request_id, subject_key, 'some of ' || dataset FROM open_part WHERE dataset IS NOT NULL
    UNION ALL
    SELECT request_id, subject_key, 'all of ' || dataset FROM open_part WHERE dataset IS NOT NULL AND record_key IS NULL
    UNION ALL
    SELECT request_id, subject_key, 'record ' || dataset || ' ' || record_key FROM open_part WHERE record_key IS NOT NULL
),

first_offered AS MATERIALIZED (
    SELECT subject_key, what, min(request_id) AS request_id
    FROM offered
    GROUP BY subject_key, what
),

repeated AS MATERIALIZED (
    SELECT sought.request_id, min(first_offered.request_id) AS duplicate_of
    FROM sought
    INNER JOIN first_offered ON sought.subject_key = first_offered.subject_key AND sought.what = first_offered.what
    WHERE first_offered.request_id < sought.request_id
    GROUP BY sought.request_id
)

UPDATE holdfast.deletion_request AS request
SET duplicate_of = repeated.duplicate_of
FROM repeated
WHERE request.request_id = repeated.request_id
RETURNING request.request_id, request.duplicate_of
