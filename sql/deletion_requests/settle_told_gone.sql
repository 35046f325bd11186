-- Write down what may be told as gone: what was erased, and what only holds that must not be disclosed have kept.
--
-- What is still there and was told as gone before is not told again when it goes at last, nor to a later request of the
-- same subject. A dataset whose holds were not believed tonight says nothing.
-- params:  run_id bigint
-- returns: none
-- locks:   the new rows
INSERT INTO holdfast.request_told_gone (run_id, request_id, dataset, action, gone_rows, still_there)
SELECT
    after.run_id,
    after.request_id,
    after.dataset,
    CASE WHEN erased.request_id IS NOT NULL THEN planned.decision ELSE after.told_action END,
    greatest(0, coalesce(erased.erased_rows, 0) + after.told_rows - coalesce(own.still_there, others.still_there, 0)),
    after.told_rows
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
    SELECT earlier.still_there
    FROM holdfast.request_told_gone AS earlier
    WHERE earlier.request_id = after.request_id AND earlier.dataset = after.dataset AND earlier.run_id < after.run_id
    ORDER BY earlier.run_id DESC
    LIMIT 1
) AS own ON TRUE
LEFT JOIN LATERAL (
    SELECT max(latest.still_there) AS still_there
    FROM holdfast.deletion_request AS other
    CROSS JOIN LATERAL (
        SELECT earlier.still_there
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
) AS others ON TRUE
WHERE
    after.run_id = :run_id
    AND (after.decision <> 'waiting' OR after.reason = 'dataset')
    AND NOT coalesce('source' = any(after.told_reasons), FALSE)
    AND (erased.request_id IS NOT NULL OR after.told_rows > 0 OR own.still_there > 0)
    AND (
        erased.request_id IS NOT NULL
        OR after.told_rows <> coalesce(own.still_there, others.still_there, 0)
    )
ON CONFLICT (request_id, dataset, run_id) DO NOTHING
