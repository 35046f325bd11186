-- What do the letters of this request say of the request itself?
-- params:  request_id bigint
-- returns: one row: the columns of the request, parts jsonb (an array of [dataset, category, record_key], or NULL), and of
--          its outcome letter rest text[] and outcome_at timestamptz (NULL: it has none)
-- locks:   none
SELECT
    request.request_id, request.reference, request.channel, request.received_at, request.identity_requested_at,
    request.identity_received_at, request.fee_requested_at, request.fee_paid_at, request.extension_notified_at,
    request.withdraw_until, request.extension_reason, request.refusal_reason,
    (
        SELECT jsonb_agg(jsonb_build_array(part.dataset, part.category, part.record_key) ORDER BY part.part_no)
        FROM holdfast.request_part AS part
        WHERE part.request_id = request.request_id
    ) AS parts,
    outcome.rest, outcome.written_at AS outcome_at
FROM holdfast.deletion_request AS request
LEFT JOIN holdfast.request_letter AS outcome
    ON outcome.request_id = request.request_id AND outcome.kind = 'outcome'
WHERE request.request_id = :request_id
