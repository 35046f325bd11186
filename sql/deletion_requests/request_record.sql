-- Record what is known of a request now. What is NULL here stays as it is.
-- params:  request_id bigint, identity_requested_at timestamptz, identity_received_at timestamptz,
--          fee_requested_at timestamptz, fee_paid_at timestamptz, withdraw_until date, extension_reason text,
--          extension_notified_at timestamptz, refusal_reason text, first_approved_by text, second_approved_by text
-- returns: nothing
-- locks:   the request's row
UPDATE holdfast.deletion_request
SET
    identity_requested_at = coalesce(cast(:identity_requested_at AS timestamptz), identity_requested_at),
    identity_received_at = coalesce(cast(:identity_received_at AS timestamptz), identity_received_at),
    fee_requested_at = coalesce(cast(:fee_requested_at AS timestamptz), fee_requested_at),
    fee_paid_at = coalesce(cast(:fee_paid_at AS timestamptz), fee_paid_at),
    withdraw_until = coalesce(cast(:withdraw_until AS date), withdraw_until),
    extension_reason = coalesce(cast(:extension_reason AS text), extension_reason),
    extension_notified_at = coalesce(cast(:extension_notified_at AS timestamptz), extension_notified_at),
    refusal_reason = coalesce(cast(:refusal_reason AS text), refusal_reason),
    first_approved_by = coalesce(cast(:first_approved_by AS text), first_approved_by),
    second_approved_by = coalesce(cast(:second_approved_by AS text), second_approved_by)
WHERE request_id = :request_id
