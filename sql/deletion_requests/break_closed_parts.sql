-- Which categories did the completed requests ask for in one dataset whose records stay without them?
-- params:  dataset text, cuts text[], wholes text[], zone text
-- returns: one row for each request (request_id bigint, dataset text, subject_key text, record_key text: NULL,
--          categories text[], until date: of records made up to this day); cuts are the dataset's categories that can be
--          emptied, wholes those whose request is one for whole records
-- locks:   none
SELECT
    request.request_id,
    cast(:dataset AS text) AS dataset,
    request.subject_key,
    cast(NULL AS text) AS record_key,
    array_agg(DISTINCT part.category) AS categories,
    coalesce(request.replay_until, cast(timezone(cast(:zone AS text), request.closed_at) AS date)) AS until
FROM holdfast.deletion_request AS request
INNER JOIN holdfast.request_part AS part ON part.request_id = request.request_id
WHERE
    request.state = 'completed'
    AND part.category = any(cast(:cuts AS text []))
    -- Who asked for all records as well is looked for as such.
    AND NOT EXISTS (
        SELECT
        FROM holdfast.request_part AS whole
        WHERE
            whole.request_id = request.request_id
            AND whole.record_key IS NULL
            AND (whole.dataset = cast(:dataset AS text) OR whole.category = any(cast(:wholes AS text [])))
    )
GROUP BY request.request_id, request.subject_key, request.replay_until, request.closed_at
