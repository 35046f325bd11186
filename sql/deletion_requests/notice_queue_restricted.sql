-- Which recipients must hear of what is restricted for whom? What stays for a reason that may be named, as the run found
-- it, and is in no notice yet.
-- params:  run_id bigint, now timestamptz, tell jsonb
-- returns: the number of notices made or completed; `tell` is an array of objects, one ToTell each
-- locks:   the notices' rows
WITH to_tell AS (
    SELECT one.dataset, one.recipient, one.category, one.kind, one.is_required
    FROM jsonb_to_recordset(cast(:tell AS jsonb)) AS one (
        dataset text, event text, recipient text, category text, kind text, is_required boolean
    )
    WHERE one.event = 'restrict'
),

due AS (
    SELECT
        told.request_id, to_tell.recipient, to_tell.kind, to_tell.is_required,
        array_agg(DISTINCT told.dataset ORDER BY told.dataset) AS datasets,
        array_agg(DISTINCT to_tell.category ORDER BY to_tell.category) AS categories
    FROM holdfast.request_told AS told
    INNER JOIN holdfast.restriction
        ON
            restriction.request_id = told.request_id
            AND restriction.dataset = told.dataset
            AND restriction.lifted_at IS NULL
    INNER JOIN to_tell ON to_tell.dataset = told.dataset
    WHERE
        -- Of a request for some categories alone, only those are restricted.
        (
            NOT EXISTS (
                SELECT
                FROM holdfast.erasure_scope AS line
                WHERE line.request_id = told.request_id AND line.dataset = told.dataset
            )
            OR EXISTS (
                SELECT
                FROM holdfast.erasure_scope AS line
                WHERE
                    line.request_id = told.request_id
                    AND line.dataset = told.dataset
                    AND (line.categories IS NULL OR to_tell.category = any(line.categories))
            )
        )
        AND told.run_id = :run_id
        AND told.reasons <> '{}'
        -- What was told as gone without a rest is never told of again: a hold that must not be disclosed may have kept it.
        AND NOT EXISTS (
            SELECT
            FROM holdfast.request_told_gone AS gone
            WHERE
                gone.request_id = told.request_id
                AND gone.dataset = told.dataset
                AND gone.run_id < told.run_id
                AND gone.gone_rows > 0
                AND NOT gone.in_part
        )
        AND NOT EXISTS (
            SELECT
            FROM holdfast.recipient_notice AS known
            WHERE
                known.request_id = told.request_id
                AND known.recipient = to_tell.recipient
                AND known.kind = to_tell.kind
                AND told.dataset = any(known.datasets)
        )
    GROUP BY told.request_id, to_tell.recipient, to_tell.kind, to_tell.is_required
)

INSERT INTO holdfast.recipient_notice AS notice (
    request_id, run_id, recipient, kind, datasets, in_part, categories, queued_at, outcome, outcome_at
)
SELECT
    request_id, :run_id, recipient, kind, datasets, '{}', categories, cast(:now AS timestamptz),
    CASE WHEN NOT is_required THEN 'not_required' END,
    CASE WHEN NOT is_required THEN cast(:now AS timestamptz) END
FROM due
ORDER BY request_id, recipient, kind
ON CONFLICT (request_id, recipient, kind, run_id) DO UPDATE
    SET
        datasets = ARRAY(SELECT DISTINCT unnest(notice.datasets || excluded.datasets) AS one ORDER BY one),
        categories = ARRAY(SELECT DISTINCT unnest(notice.categories || excluded.categories) AS one ORDER BY one),
        sent_at = NULL, last_attempt_at = NULL, outcome = excluded.outcome, outcome_at = excluded.outcome_at
    WHERE NOT notice.datasets @> excluded.datasets
