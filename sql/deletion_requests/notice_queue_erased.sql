-- Which recipients must hear of what was erased for whom? One notice for each request, recipient and run; one that exists
-- is completed if something was erased since, and sent again.
-- params:  now timestamptz, datasets text[], events text[], recipients text[], categories text[], kinds text[],
--          required boolean[]
-- returns: the number of notices made or completed
-- locks:   the notices' rows
WITH to_tell AS (
    SELECT *
    FROM unnest(
        cast(:datasets AS text []), cast(:events AS text []), cast(:recipients AS text []),
        cast(:categories AS text []), cast(:kinds AS text []), cast(:required AS boolean [])
    ) AS one (dataset, event, recipient, category, kind, is_required)
),

due AS (
    SELECT
        erasure.request_id, erasure.run_id, to_tell.recipient, to_tell.kind, to_tell.is_required,
        array_agg(DISTINCT erasure.dataset ORDER BY erasure.dataset) AS datasets,
        array_agg(DISTINCT to_tell.category ORDER BY to_tell.category) AS categories
    FROM holdfast.erasure
    INNER JOIN holdfast.request_told AS told
        ON
            told.run_id = erasure.run_id
            AND told.request_id = erasure.request_id
            AND told.dataset = erasure.dataset
    INNER JOIN to_tell ON to_tell.dataset = erasure.dataset AND to_tell.event = told.action
    WHERE
        erasure.erased_rows > 0
        AND NOT EXISTS (
            SELECT
            FROM holdfast.recipient_notice AS known
            WHERE
                known.request_id = erasure.request_id
                AND known.recipient = to_tell.recipient
                AND known.kind = to_tell.kind
                AND known.run_id = erasure.run_id
                AND erasure.dataset = any(known.datasets)
        )
    GROUP BY erasure.request_id, erasure.run_id, to_tell.recipient, to_tell.kind, to_tell.is_required
)

INSERT INTO holdfast.recipient_notice AS notice (
    request_id, run_id, recipient, kind, datasets, categories, queued_at, outcome, outcome_at
)
SELECT
    request_id, run_id, recipient, kind, datasets, categories, cast(:now AS timestamptz),
    CASE WHEN NOT is_required THEN 'not_required' END,
    CASE WHEN NOT is_required THEN cast(:now AS timestamptz) END
FROM due
ORDER BY request_id, run_id, recipient, kind
ON CONFLICT (request_id, recipient, kind, run_id) DO UPDATE
    SET
        datasets = ARRAY(SELECT DISTINCT unnest(notice.datasets || excluded.datasets) AS one ORDER BY one),
        categories = ARRAY(SELECT DISTINCT unnest(notice.categories || excluded.categories) AS one ORDER BY one),
        sent_at = NULL, last_attempt_at = NULL, outcome = excluded.outcome, outcome_at = excluded.outcome_at
    WHERE NOT notice.datasets @> excluded.datasets
