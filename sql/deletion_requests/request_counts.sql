-- How many requests are in each state, and since when is the oldest there?
-- params:  none
-- returns: one row for each state (state text, meaning text, requests bigint, duplicates bigint, oldest_received_at
--          timestamptz)
-- locks:   none
SELECT
    known.state,
    known.meaning,
    count(request.request_id) AS requests,
    count(request.duplicate_of) AS duplicates,
    min(request.received_at) AS oldest_received_at
FROM holdfast.request_state AS known
LEFT JOIN holdfast.deletion_request AS request ON known.state = request.state
GROUP BY known.state, known.meaning, known.is_final
ORDER BY known.is_final, known.state
