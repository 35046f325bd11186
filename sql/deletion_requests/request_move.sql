-- Bring requests into a state, and note each change. One that is in it already is left as it is; a change that is not
-- allowed fails the whole statement (the trigger check_request_change).
-- params:  requests bigint[], to_state text, at timestamptz, by_whom text, run_id bigint, at_once bigint
-- returns: the requests that changed, by the state they came from, at most at_once in a row
--          (from_state text, requests bigint[])
-- locks:   the requests' rows
WITH moving AS MATERIALIZED (
    SELECT request.request_id, request.state AS from_state, target.state AS to_state, target.is_final
    FROM holdfast.deletion_request AS request
    CROSS JOIN holdfast.request_state AS target
    WHERE
        request.request_id = any(cast(:requests AS bigint []))
        AND target.state = :to_state
        AND request.state <> target.state
),

moved AS (
    UPDATE holdfast.deletion_request AS request
    SET
        state = moving.to_state,
        closed_at = CASE WHEN moving.is_final THEN cast(:at AS timestamptz) END
    FROM moving
    WHERE request.request_id = moving.request_id
    RETURNING request.request_id, moving.from_state, moving.to_state
),

noted AS (
    INSERT INTO holdfast.request_transition (request_id, from_state, to_state, at, by_whom, run_id)
    SELECT request_id, from_state, to_state, cast(:at AS timestamptz), :by_whom, cast(:run_id AS bigint)
    FROM moved
    ORDER BY request_id
    RETURNING request_id, from_state
),

numbered AS (
    SELECT
        request_id,
        from_state,
        (row_number() OVER (PARTITION BY from_state ORDER BY request_id) - 1) / cast(:at_once AS bigint) AS piece
    FROM noted
)

SELECT from_state, array_agg(request_id ORDER BY request_id) AS requests
FROM numbered
GROUP BY from_state, piece
ORDER BY from_state, piece
