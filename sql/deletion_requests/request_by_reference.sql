-- Which requests have these references?
-- params:  names text[]
-- returns: one row for each: the columns of a request, and parts jsonb, an array of [dataset, category, record_key]
-- locks:   none
SELECT
    request.request_id, request.reference, request.channel, request.subject_key, request.state, request.received_at,
    request.identity_requested_at, request.identity_received_at, request.fee_requested_at, request.fee_paid_at,
    request.withdraw_until, request.extension_reason, request.extension_notified_at, request.refusal_reason,
    request.first_approved_by, request.second_approved_by, request.duplicate_of, request.closed_at, request.letters_ended,
    (
        SELECT jsonb_agg(jsonb_build_array(part.dataset, part.category, part.record_key) ORDER BY part.part_no)
        FROM holdfast.request_part AS part
        WHERE part.request_id = request.request_id
    ) AS parts
FROM holdfast.deletion_request AS request
WHERE request.reference = any(cast(:names AS text []))
