-- Which requests that are carried out have nothing left, and which have? Of one that a source of holds which was not
-- believed has stopped somewhere, nothing is decided: it stays as it is until another night.
-- params:  run_id bigint
-- returns: one row for each request (request_id, state, is_done, is_undecided)
-- locks:   none
SELECT
    r.request_id,
    r.state,
    bool_and(a.decision = 'not_held' AND a.rows_held + a.rows_exempt = 0) AS is_done,
    bool_or(coalesce('source' = any(a.told_reasons), FALSE)) AS is_undecided
FROM holdfast.request_after AS a
INNER JOIN holdfast.deletion_request AS r ON a.request_id = r.request_id
WHERE a.run_id = :run_id AND r.state IN ('executing', 'partly_completed')
GROUP BY r.request_id, r.state
ORDER BY r.request_id
