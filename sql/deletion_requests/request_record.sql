-- Record what is known of a request now. What is not given stays as it is.
-- params:  request_id bigint, known jsonb
-- returns: nothing
-- locks:   the request's row
UPDATE holdfast.deletion_request AS request
SET
    identity_requested_at = coalesce(known.identity_requested_at, request.identity_requested_at),
    identity_received_at = coalesce(known.identity_received_at, request.identity_received_at),
    fee_requested_at = coalesce(known.fee_requested_at, request.fee_requested_at),
    fee_paid_at = coalesce(known.fee_paid_at, request.fee_paid_at),
    withdraw_until = coalesce(known.withdraw_until, request.withdraw_until),
    extension_reason = coalesce(known.extension_reason, request.extension_reason),
    extension_notified_at = coalesce(known.extension_notified_at, request.extension_notified_at),
    refusal_reason = coalesce(known.refusal_reason, request.refusal_reason),
    first_approved_by = coalesce(known.first_approved_by, request.first_approved_by),
    second_approved_by = coalesce(known.second_approved_by, request.second_approved_by)
FROM jsonb_to_record(cast(:known AS jsonb)) AS known (
    identity_requested_at timestamptz, identity_received_at timestamptz, fee_requested_at timestamptz,
    fee_paid_at timestamptz, withdraw_until date, extension_reason text, extension_notified_at timestamptz,
    refusal_reason text, first_approved_by text, second_approved_by text
)
WHERE request.request_id = :request_id
