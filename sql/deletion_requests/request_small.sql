-- Which assessed requests would change so few rows, by a run's matrix, that nobody has to approve them? Not one that a
-- person has begun to approve, nor one that somebody is changing just now. Rows that only a hold keeps which must not be
-- disclosed count: the night of the answer must not depend on it.
-- params:  run_id bigint, max_rows bigint
-- returns: request_id bigint
-- locks:   the requests' rows
SELECT request.request_id
FROM holdfast.deletion_request AS request
WHERE
    request.state = 'assessed'
    AND request.first_approved_by IS NULL
    -- Looked up for each: a join planned before the night's statistics took minutes for a hundred thousand requests.
    AND (
        SELECT sum(decision.size_rows)
        FROM holdfast.request_size AS decision
        WHERE decision.run_id = :run_id AND decision.request_id = request.request_id
    ) <= :max_rows
ORDER BY request.request_id
FOR NO KEY UPDATE OF request SKIP LOCKED
