-- Write down what may be told as gone: what was erased, and what only holds that must not be disclosed have kept.
--
-- What is still there and was told as gone before is not told again when it goes at last, nor to a later request of the
-- same subject; nor does it count as kept because a hold that may be named has come to reach it. A dataset whose holds were
-- not believed tonight says nothing.
-- params:  run_id bigint
-- returns: none
-- locks:   the new rows
WITH counted AS (
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
        asked.categories
    FROM holdfast.request_after AS after
    INNER JOIN holdfast.deletion_request AS request ON request.request_id = after.request_id
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
    LEFT JOIN LATERAL (
        SELECT
            CASE
                WHEN bool_and(line.categories IS NOT NULL)
                    THEN array_agg(DISTINCT one.category ORDER BY one.category)
            END AS categories
        FROM holdfast.erasure_scope AS line
        LEFT JOIN LATERAL unnest(line.categories) AS one (category) ON TRUE
        WHERE line.request_id = after.request_id AND line.dataset = after.dataset
    ) AS asked ON TRUE
    LEFT JOIN LATERAL (
        SELECT earlier.still_there
        FROM holdfast.request_told_gone AS earlier
        WHERE
            earlier.request_id = after.request_id
            AND earlier.dataset = after.dataset
            AND earlier.run_id < after.run_id
        ORDER BY earlier.run_id DESC
        LIMIT 1
    ) AS own ON TRUE
    LEFT JOIN LATERAL (
        SELECT max(latest.still_there) AS still_there
        FROM holdfast.deletion_request AS other
        CROSS JOIN LATERAL (
            SELECT earlier.still_there, earlier.categories
            FROM holdfast.request_told_gone AS earlier
            WHERE
                earlier.request_id = other.request_id
                AND earlier.dataset = after.dataset
                AND earlier.run_id < after.run_id
            ORDER BY earlier.run_id DESC
            LIMIT 1
        ) AS latest
        WHERE
            own.still_there IS NULL
            AND other.subject_key = request.subject_key
            AND other.request_id <> after.request_id
            -- Of a record that only lost a category, the rest was never told as gone.
            AND (latest.categories IS NULL OR latest.categories @> asked.categories)
    ) AS others ON TRUE
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

INSERT INTO holdfast.request_told_gone (run_id, request_id, dataset, action, gone_rows, still_there, categories)
SELECT
    left_over.run_id,
    left_over.request_id,
    left_over.dataset,
    left_over.action,
    greatest(0, left_over.erased_rows + left_over.still_there - left_over.were_there),
    left_over.still_there,
    left_over.categories
FROM left_over
WHERE left_over.erased_rows > 0 OR left_over.still_there <> left_over.were_there
ON CONFLICT (request_id, dataset, run_id) DO NOTHING
