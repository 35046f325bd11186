-- Which requests are not answered yet, the oldest first?
-- params:  states text[], requests bigint
-- returns: one row for each, at most so many (request_id, state, channel, received_at, identity_requested_at,
--          identity_received_at, fee_requested_at, fee_paid_at, extension_notified_at, duplicate_of)
-- locks:   none
SELECT
    request.request_id,
    request.state,
    request.channel,
    request.received_at,
    request.identity_requested_at,
    request.identity_received_at,
    request.fee_requested_at,
    request.fee_paid_at,
    request.extension_notified_at,
    request.duplicate_of
FROM holdfast.deletion_request AS request
WHERE request.state = any(cast(:states AS text [])) AND request.closed_at IS NULL
ORDER BY request.received_at, request.request_id
LIMIT :requests
