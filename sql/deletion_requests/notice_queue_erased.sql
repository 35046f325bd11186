-- Which recipients must hear of what was erased for whom? One notice for each request, recipient and run; one that exists
-- is completed if something was erased since, and sent again. What only a hold that must not be disclosed keeps counts as
-- erased, once: a recipient that heard nothing of it could tell that there is such a hold.
-- params:  run_id bigint, now timestamptz, tell jsonb, digest text
-- returns: the number of notices made or completed; `tell` is an array of objects, one ToTell each, and `digest` stands
--          for it: a night that was gone through with the same is not gone through again
-- locks:   the notices' rows, and those of the nights gone through
WITH to_tell AS (
    SELECT one.dataset, one.event, one.recipient, one.category, one.kind, one.is_required
    FROM jsonb_to_recordset(cast(:tell AS jsonb)) AS one (
        dataset text, event text, recipient text, category text, kind text, is_required boolean
    )
),

-- This run, and each before it of which not everybody was told whom the policy names today.
open_night AS (
    SELECT run.run_id
    FROM holdfast.run AS tonight
    INNER JOIN holdfast.run ON tonight.job = run.job AND tonight.run_id >= run.run_id
    LEFT JOIN holdfast.request_night AS night ON run.run_id = night.run_id
    WHERE
        tonight.run_id = :run_id
        AND (run.run_id = tonight.run_id OR night.notices_queued_for IS DISTINCT FROM cast(:digest AS text))
),

noted AS (
    INSERT INTO holdfast.request_night (run_id, notices_queued_for)
    SELECT run_id, cast(:digest AS text) FROM open_night
    ON CONFLICT (run_id) DO UPDATE SET notices_queued_for = excluded.notices_queued_for
),

due AS (
    SELECT
        erased.request_id, erased.run_id, to_tell.recipient, to_tell.kind, to_tell.is_required,
        array_agg(DISTINCT erased.dataset ORDER BY erased.dataset) AS datasets,
        coalesce(
            array_agg(DISTINCT erased.dataset ORDER BY erased.dataset) FILTER (WHERE erased.in_part), '{}'
        ) AS in_part,
        array_agg(DISTINCT to_tell.category ORDER BY to_tell.category) AS categories
    FROM holdfast.request_told_gone AS erased
    INNER JOIN to_tell
        ON
            to_tell.dataset = erased.dataset
            AND to_tell.event = CASE WHEN erased.categories IS NULL THEN erased.action ELSE 'cut' END
            AND (erased.categories IS NULL OR to_tell.category = any(erased.categories))
    WHERE
        -- As an array, for which those nights are looked up; joined, all that was ever erased would be read.
        erased.run_id = any(ARRAY(SELECT open_night.run_id FROM open_night))
        AND erased.gone_rows > 0
        AND NOT EXISTS (
            SELECT
            FROM holdfast.recipient_notice AS known
            WHERE
                known.request_id = erased.request_id
                AND known.recipient = to_tell.recipient
                AND known.kind = to_tell.kind
                AND known.run_id = erased.run_id
                AND erased.dataset = any(known.datasets)
        )
    GROUP BY erased.request_id, erased.run_id, to_tell.recipient, to_tell.kind, to_tell.is_required
)

INSERT INTO holdfast.recipient_notice AS notice (
    request_id, run_id, recipient, kind, datasets, in_part, categories, queued_at, outcome, outcome_at
)
SELECT
    request_id, run_id, recipient, kind, datasets, in_part, categories, cast(:now AS timestamptz),
    CASE WHEN NOT is_required THEN 'not_required' END,
    CASE WHEN NOT is_required THEN cast(:now AS timestamptz) END
FROM due
ORDER BY request_id, run_id, recipient, kind
ON CONFLICT (request_id, recipient, kind, run_id) DO UPDATE
    SET
        datasets = ARRAY(SELECT DISTINCT unnest(notice.datasets || excluded.datasets) AS one ORDER BY one),
        in_part = ARRAY(SELECT DISTINCT unnest(notice.in_part || excluded.in_part) AS one ORDER BY one),
        categories = ARRAY(SELECT DISTINCT unnest(notice.categories || excluded.categories) AS one ORDER BY one),
        sent_at = NULL, last_attempt_at = NULL, outcome = excluded.outcome, outcome_at = excluded.outcome_at
    WHERE NOT notice.datasets @> excluded.datasets
