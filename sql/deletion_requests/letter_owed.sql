-- Which letters are owed? An outcome once the request is decided, and a final letter once everything that the outcome
-- named as staying is gone. Whether the request is partly or wholly completed makes no difference: that may be the work of
-- a hold which must not be disclosed. While nobody knows where to write to, none is owed.
-- params:  run_id bigint
-- returns: request_id bigint, kind text; by request, and in the order in which its letters are read
-- locks:   none
WITH unfinished AS NOT MATERIALIZED (
    SELECT request_id, state, extension_notified_at FROM holdfast.deletion_request WHERE NOT last_letter_written
),

called_for AS (
    SELECT request_id, 'acknowledgement' AS kind, 1 AS place
    FROM unfinished
    WHERE state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved')
    UNION ALL
    SELECT request_id, 'extension', 2
    FROM unfinished
    WHERE
        state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved', 'executing')
        AND extension_notified_at IS NOT NULL
    UNION ALL
    SELECT request_id, 'outcome', 3 FROM unfinished WHERE state IN ('partly_completed', 'completed')
    UNION ALL
    SELECT request_id, 'refusal', 4 FROM unfinished WHERE state = 'refused'
    UNION ALL
    SELECT request_id, 'withdrawal', 4 FROM unfinished WHERE state = 'withdrawn'
    UNION ALL
    SELECT request.request_id, 'final', 5
    FROM unfinished AS request
    INNER JOIN holdfast.request_letter AS outcome
        ON outcome.request_id = request.request_id AND outcome.kind = 'outcome' AND outcome.rest <> '{}'
    CROSS JOIN LATERAL (
        SELECT count(*) AS datasets, count(*) FILTER (WHERE dataset = any(outcome.rest) AND reasons <> '{}') AS staying
        FROM holdfast.request_told
        WHERE run_id = :run_id AND request_id = request.request_id
    ) AS told
    LEFT JOIN holdfast.request_letter AS final ON final.request_id = request.request_id AND final.kind = 'final'
    -- A request that is open and was not assessed tonight tells nothing.
    WHERE final.letter_id IS NULL AND told.staying = 0 AND (told.datasets > 0 OR request.state = 'completed')
)

SELECT request_id, kind
FROM called_for
WHERE
    NOT EXISTS (
        SELECT
        FROM holdfast.request_letter AS letter
        WHERE letter.request_id = called_for.request_id AND letter.kind = called_for.kind
    )
    AND EXISTS (
        SELECT
        FROM holdfast.request_addressee AS kept
        WHERE kept.request_id = called_for.request_id AND kept.erased_at IS NULL
    )
ORDER BY request_id, place
