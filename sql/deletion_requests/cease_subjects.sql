-- About whom are the requests that a run carried out in these datasets, and those whose cease is still awaited?
-- params:  run_id bigint
-- returns: subject_key text, in order
-- locks:   none
SELECT request.subject_key
FROM holdfast.deletion_request AS request
WHERE
    request.state IN ('executing', 'partly_completed')
    AND EXISTS (
        SELECT FROM holdfast.request_after AS after WHERE after.run_id = :run_id AND after.request_id = request.request_id
    )
UNION
SELECT request.subject_key
FROM holdfast.emergency_cease AS cease
INNER JOIN holdfast.deletion_request AS request ON request.request_id = cease.request_id
WHERE cease.done_at IS NULL
ORDER BY subject_key
