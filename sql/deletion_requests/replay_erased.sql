-- What was erased since a moment in one dataset, and for whom, by pseudonym? Of a request for single records, those.
-- params:  dataset text, since timestamptz, categories text[], zone text
-- returns: one row for each request, or each of its records (request_id bigint, pseudonym text, record_key text or NULL:
--          every record of the subject, until date: made up to this day, or NULL: whenever, kept_rows bigint: so many were
--          there when the request was counted last); categories are those of the dataset's columns
-- locks:   none
WITH line AS (
    SELECT DISTINCT request_id, subject_pseudonym
    FROM holdfast.erasure
    WHERE
        dataset = cast(:dataset AS text)
        AND categories IS NULL -- where single categories were emptied, the records themselves stay
        AND erased_at >= cast(:since AS timestamptz)
),

kept AS (
    SELECT
        request_id,
        CASE
            WHEN decision IN ('waiting', 'unknown') THEN rows_found ELSE rows_acted + rows_held + rows_exempt
        END AS kept_rows
    FROM holdfast.request_after
    WHERE
        dataset = cast(:dataset AS text)
        AND run_id = (SELECT max(latest.run_id) FROM holdfast.request_after AS latest)
)

SELECT
    request.request_id,
    line.subject_pseudonym AS pseudonym,
    named.record_key,
    coalesce(request.replay_until, cast(timezone(cast(:zone AS text), request.closed_at) AS date)) AS until,
    CASE WHEN request.closed_at IS NULL THEN coalesce(kept.kept_rows, 0) ELSE 0 END AS kept_rows
FROM line
INNER JOIN holdfast.deletion_request AS request ON request.request_id = line.request_id
LEFT JOIN kept ON kept.request_id = line.request_id
LEFT JOIN LATERAL (
    SELECT part.record_key
    FROM holdfast.request_part AS part
    WHERE
        part.request_id = line.request_id
        AND part.dataset = cast(:dataset AS text)
        AND part.record_key IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM holdfast.request_part AS whole
            WHERE
                whole.request_id = line.request_id
                AND whole.record_key IS NULL
                AND (whole.dataset = cast(:dataset AS text) OR whole.category = any(cast(:categories AS text [])))
        )
) AS named ON TRUE
