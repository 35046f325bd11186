-- Which requests are being carried out, and what does each ask for? For a further database.
-- params:  none
-- returns: one row for each part of each request, and one without a part for a whole account (request_id, reference,
--          channel, subject_key, state, received_at, replay_until, part_no, dataset, category, record_key)
-- locks:   none
SELECT
    request.request_id, request.reference, request.channel, request.subject_key, request.state, request.received_at,
    request.replay_until, part.part_no, part.dataset, part.category, part.record_key
FROM holdfast.deletion_request AS request
LEFT JOIN holdfast.request_part AS part ON request.request_id = part.request_id
WHERE request.closed_at IS NULL AND request.state IN ('executing', 'partly_completed')
