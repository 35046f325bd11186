-- Which assessed requests would change so few rows, by a run's matrix, that nobody has to approve them? Not one that a
-- person has begun to approve, nor one that somebody is changing just now.
-- params:  run_id bigint, max_rows bigint
-- returns: request_id bigint
-- locks:   the requests' rows
SELECT request_id
FROM holdfast.deletion_request
WHERE
    state = 'assessed'
    AND first_approved_by IS NULL
    AND request_id IN (
        SELECT decision.request_id
        FROM holdfast.request_decision AS decision
        WHERE decision.run_id = :run_id
        GROUP BY decision.request_id
        HAVING sum(decision.rows_acted) <= :max_rows
    )
ORDER BY request_id
FOR NO KEY UPDATE SKIP LOCKED
