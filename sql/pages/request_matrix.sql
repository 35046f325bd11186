-- What may be told of each dataset of a request, by the last night that decided on it? Where a hold must not be
-- disclosed, this is what would stand here without it.
-- params:  request_id bigint, job text, nights bigint
-- returns: one row for each dataset (run_id, as_of_date, dataset, action, has_more boolean: rows that would go once the
--          request may be carried out, reasons, until, review_on); none before the request was assessed, or once its
--          matrix is forgotten
-- locks:   none
WITH nights AS ( -- those of late, and those in which it went on: the matrix is large, and kept by night
    (
        SELECT run.run_id
        FROM holdfast.run
        WHERE run.job = :job AND run.mode = 'enforce'
        ORDER BY run.run_id DESC
        LIMIT :nights
    )
    UNION
    SELECT request_transition.run_id
    FROM holdfast.request_transition
    WHERE request_transition.request_id = :request_id AND request_transition.run_id IS NOT NULL
)

SELECT
    decided.run_id,
    run.as_of_date,
    decided.dataset,
    decided.told_action AS action,
    decided.told_action IS NULL AND decided.told_rows > 0 AS has_more,
    coalesce(decided.told_reasons, '{}') AS reasons,
    decided.told_until AS until,
    decided.told_review_on AS review_on
FROM holdfast.request_decision AS decided
INNER JOIN holdfast.run ON run.run_id = decided.run_id
WHERE
    decided.request_id = :request_id
    AND decided.run_id = (
        SELECT max(nights.run_id)
        FROM nights
        WHERE EXISTS (
            SELECT
            FROM holdfast.request_decision AS one
            WHERE one.run_id = nights.run_id AND one.request_id = :request_id
        )
    )
ORDER BY decided.dataset
