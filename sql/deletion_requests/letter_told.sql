-- What may be told of each dataset: what had gone by the night that decided the request, and what that night left.
-- params:  request_id bigint
-- returns: one row for each dataset (dataset text, action text or NULL, reasons text[], until date or NULL,
--          review_on date or NULL)
-- locks:   none
WITH decided AS (
    SELECT run_id
    FROM holdfast.request_transition
    WHERE request_id = :request_id AND to_state IN ('partly_completed', 'completed')
    ORDER BY transition_id
    LIMIT 1
),

gone AS (
    SELECT told.dataset, max(told.action) AS action
    FROM holdfast.request_told_gone AS told
    WHERE told.request_id = :request_id AND told.gone_rows > 0 AND told.run_id <= (SELECT run_id FROM decided)
    GROUP BY told.dataset
),

remaining AS (
    SELECT told.dataset, told.reasons, told.until, told.review_on
    FROM holdfast.request_told AS told
    WHERE told.request_id = :request_id AND told.run_id = (SELECT run_id FROM decided)
)

SELECT
    coalesce(remaining.dataset, gone.dataset) AS dataset,
    gone.action,
    coalesce(remaining.reasons, '{}') AS reasons,
    remaining.until,
    remaining.review_on
FROM remaining
FULL OUTER JOIN gone ON gone.dataset = remaining.dataset
ORDER BY dataset
