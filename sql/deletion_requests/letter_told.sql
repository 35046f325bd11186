-- What may be told of each dataset: what the night that decided the request did and left, and what nights before it had
-- erased already.
-- params:  request_id bigint
-- returns: one row for each dataset (dataset text, action text or NULL, reasons text[], until date or NULL)
-- locks:   none
WITH decided AS (
    SELECT run_id
    FROM holdfast.request_transition
    WHERE request_id = :request_id AND to_state IN ('partly_completed', 'completed')
    ORDER BY transition_id
    LIMIT 1
),

before AS (
    SELECT told.dataset, max(told.action) AS action
    FROM holdfast.erasure
    INNER JOIN holdfast.request_told AS told
        ON
            told.run_id = erasure.run_id
            AND told.request_id = erasure.request_id
            AND told.dataset = erasure.dataset
    WHERE erasure.request_id = :request_id AND erasure.run_id < (SELECT run_id FROM decided)
    GROUP BY told.dataset
),

tonight AS (
    SELECT dataset, action, reasons, until
    FROM holdfast.request_told
    WHERE request_id = :request_id AND run_id = (SELECT run_id FROM decided)
)

SELECT
    coalesce(tonight.dataset, before.dataset) AS dataset,
    coalesce(tonight.action, before.action) AS action,
    coalesce(tonight.reasons, '{}') AS reasons,
    tonight.until
FROM tonight
FULL OUTER JOIN before ON before.dataset = tonight.dataset
ORDER BY dataset
