-- Stage what was erased since a moment in one dataset, and for whom, by pseudonym. Of a request for single records, those.
-- Whole records, or of single categories alone.
-- params:  dataset text, since timestamptz, is_cut boolean, wholes text[], zone text
-- returns: none; wholes are the categories whose request is one for whole records of the dataset
-- locks:   none
WITH line AS (
    SELECT line.request_id, line.subject_pseudonym, array_agg(DISTINCT one.category) AS categories
    FROM holdfast.erasure AS line
    LEFT JOIN LATERAL unnest(line.categories) AS one (category) ON TRUE
    WHERE
        line.dataset = cast(:dataset AS text)
        AND line.erased_at >= cast(:since AS timestamptz)
        AND (line.categories IS NOT NULL) = cast(:is_cut AS boolean)
    GROUP BY line.request_id, line.subject_pseudonym
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

INSERT INTO erased_since (
    dataset, is_cut, request_id, pseudonym, record_key, categories, until, kept_rows
)
SELECT
    cast(:dataset AS text),
    cast(:is_cut AS boolean),
    request.request_id,
    line.subject_pseudonym,
    named.record_key,
    CASE WHEN cast(:is_cut AS boolean) THEN line.categories END AS categories,
    coalesce(request.replay_until, cast(timezone(cast(:zone AS text), request.closed_at) AS date)) AS until,
    CASE WHEN request.closed_at IS NULL THEN coalesce(kept.kept_rows, 0) ELSE 0 END AS kept_rows
FROM line
INNER JOIN holdfast.deletion_request AS request ON request.request_id = line.request_id
LEFT JOIN kept ON kept.request_id = line.request_id
LEFT JOIN LATERAL (
    SELECT part.record_key
    FROM holdfast.request_part AS part
    WHERE
        NOT cast(:is_cut AS boolean)
        AND part.request_id = line.request_id
        AND part.dataset = cast(:dataset AS text)
        AND part.record_key IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM holdfast.request_part AS whole
            WHERE
                whole.request_id = line.request_id
                AND whole.record_key IS NULL
                AND (whole.dataset = cast(:dataset AS text) OR whole.category = any(cast(:wholes AS text [])))
        )
) AS named ON TRUE
