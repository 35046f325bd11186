-- Write down what may be told as gone: what was erased, and what only holds that must not be disclosed have kept.
--
-- What is still there and was told as gone before is not told again when it goes at last, nor to a later request of the
-- same subject; nor does it count as kept because a hold that may be named has come to reach it. A dataset whose holds were
-- not believed tonight says nothing.
-- params:  run_id bigint
-- returns: none
-- locks:   the new rows
WITH parts AS MATERIALIZED (
    -- Once for all: to look the scope up for each decision takes the square of the requests.
    SELECT
        line.request_id,
        line.dataset,
        CASE
            WHEN bool_and(line.categories IS NOT NULL) THEN array_agg(DISTINCT one.category ORDER BY one.category)
        END AS categories
    FROM holdfast.erasure_scope AS line
    LEFT JOIN LATERAL unnest(line.categories) AS one (category) ON TRUE
    WHERE line.dataset IS NOT NULL
    GROUP BY line.request_id, line.dataset
),

tonight AS MATERIALIZED (
    SELECT DISTINCT request.request_id, request.subject_key
    FROM holdfast.request_after AS after
    INNER JOIN holdfast.deletion_request AS request ON request.request_id = after.request_id
    WHERE after.run_id = :run_id
),

earlier AS MATERIALIZED (
    -- What was told last of these subjects' requests. All of this is joined once and nothing looked up line by line: of a
    -- table that was empty when it was last analysed, each look is at all that this statement has written so far.
    SELECT DISTINCT ON (told.request_id, told.dataset)
        told.request_id, told.dataset, told.still_there, told.categories
    FROM holdfast.request_told_gone AS told
    INNER JOIN holdfast.deletion_request AS request ON request.request_id = told.request_id
    WHERE told.run_id < :run_id AND request.subject_key IN (SELECT subject_key FROM tonight)
    ORDER BY told.request_id ASC, told.dataset ASC, told.run_id DESC
),

others AS MATERIALIZED (
    SELECT tonight.request_id, latest.dataset, max(latest.still_there) AS still_there
    FROM tonight
    INNER JOIN holdfast.deletion_request AS other
        ON other.subject_key = tonight.subject_key AND other.request_id <> tonight.request_id
    INNER JOIN earlier AS latest ON latest.request_id = other.request_id
    LEFT JOIN parts AS asked ON asked.request_id = tonight.request_id AND asked.dataset = latest.dataset
    -- Of a record that only lost a category, the rest was never told as gone.
    WHERE latest.categories IS NULL OR latest.categories @> asked.categories
    GROUP BY tonight.request_id, latest.dataset
),

counted AS (
    SELECT
        after.run_id,
        after.request_id,
        after.dataset,
        CASE WHEN erased.request_id IS NOT NULL THEN planned.decision ELSE after.told_action END AS action,
        coalesce(erased.erased_rows, 0) AS erased_rows,
        own.still_there IS NOT NULL AS is_known,
        coalesce(own.still_there, others.still_there, 0) AS were_there,
        after.told_rows,
        after.rows_found,
        after.told_reasons,
        told.reasons <> '{}' AS in_part,
        asked.categories
    FROM holdfast.request_after AS after
    INNER JOIN holdfast.request_told AS told
        ON
            told.run_id = after.run_id
            AND told.request_id = after.request_id
            AND told.dataset = after.dataset
    INNER JOIN holdfast.request_decision AS planned
        ON
            planned.run_id = after.run_id
            AND planned.request_id = after.request_id
            AND planned.dataset = after.dataset
    LEFT JOIN holdfast.erasure AS erased
        ON
            erased.request_id = after.request_id
            AND erased.run_id = after.run_id
            AND erased.dataset = after.dataset
    LEFT JOIN parts AS asked ON asked.request_id = after.request_id AND asked.dataset = after.dataset
    LEFT JOIN earlier AS own ON own.request_id = after.request_id AND own.dataset = after.dataset
    LEFT JOIN others ON others.request_id = after.request_id AND others.dataset = after.dataset
    WHERE
        after.run_id = :run_id
        AND (after.decision <> 'waiting' OR after.reason = 'dataset')
        AND (erased.request_id IS NOT NULL OR after.told_rows > 0 OR own.still_there > 0)
),

left_over AS (
    SELECT
        counted.*,
        greatest(
            told_rows,
            CASE WHEN is_known THEN least(were_there - erased_rows, rows_found) END, -- NULL is passed over
            0
        ) AS still_there
    FROM counted
    WHERE NOT coalesce('source' = any(told_reasons), FALSE)
)

INSERT INTO holdfast.request_told_gone AS known (
    run_id, request_id, dataset, action, gone_rows, still_there, in_part, categories
)
SELECT
    left_over.run_id,
    left_over.request_id,
    left_over.dataset,
    left_over.action,
    greatest(0, left_over.erased_rows + left_over.still_there - left_over.were_there),
    left_over.still_there,
    left_over.in_part,
    left_over.categories
FROM left_over
WHERE left_over.erased_rows > 0 OR left_over.still_there <> left_over.were_there
-- Counted once more, the night is told as it was counted last; what it told as gone stays told.
ON CONFLICT (request_id, dataset, run_id) DO UPDATE SET in_part = excluded.in_part
    WHERE known.in_part <> excluded.in_part
