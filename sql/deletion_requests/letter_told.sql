-- What may be told of each dataset: what was erased up to the night that decided the request, and what that night left.
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

gone AS (
    SELECT erased.dataset, max(erased.action) AS action
    FROM holdfast.request_erased AS erased
    WHERE erased.request_id = :request_id AND erased.run_id <= (SELECT run_id FROM decided)
    GROUP BY erased.dataset
),

remaining AS (
    SELECT told.dataset, told.action, told.reasons, told.until
    FROM holdfast.request_told AS told
    WHERE told.request_id = :request_id AND told.run_id = (SELECT run_id FROM decided)
)

SELECT
    coalesce(remaining.dataset, gone.dataset) AS dataset,
    coalesce(gone.action, remaining.action) AS action,
    coalesce(remaining.reasons, '{}') AS reasons,
    remaining.until
FROM remaining
FULL OUTER JOIN gone ON gone.dataset = remaining.dataset
ORDER BY dataset
