-- Which requests that are carried out have nothing left, and which have?
-- params:  run_id bigint
-- returns: one row for each request (request_id, state, is_done)
-- locks:   none
SELECT
    r.request_id,
    r.state,
    bool_and(a.decision = 'not_held' AND a.rows_held + a.rows_exempt = 0) AS is_done
FROM holdfast.request_after AS a
INNER JOIN holdfast.deletion_request AS r ON a.request_id = r.request_id
WHERE a.run_id = :run_id AND r.state IN ('executing', 'partly_completed')
GROUP BY r.request_id, r.state
ORDER BY r.request_id
