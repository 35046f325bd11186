-- Which completed requests had data come back, and up to which day do they ask? Once set, that day stays: what was made
-- after the first completion, nobody asked for. A run that is NULL stands for a person.
-- params:  run_id bigint, zone text
-- returns: request_id bigint
-- locks:   the requests' rows
UPDATE holdfast.deletion_request AS request
SET replay_until = coalesce(request.replay_until, cast(timezone(cast(:zone AS text), request.closed_at) AS date))
WHERE
    request.state = 'completed'
    AND EXISTS (
        SELECT
        FROM holdfast.came_back AS back
        WHERE back.request_id = request.request_id AND back.run_id IS NOT DISTINCT FROM cast(:run_id AS bigint)
    )
RETURNING request.request_id
