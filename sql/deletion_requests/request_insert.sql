-- Put new requests into the register, in the order given. A reference that is taken is left out.
-- params:  requests jsonb
-- returns: one row for each new one (request_id bigint, reference text)
-- locks:   the new rows
INSERT INTO holdfast.deletion_request (
    reference, channel, subject_key, received_at, identity_requested_at, identity_received_at, withdraw_until
)
SELECT
    given.reference, given.channel, given.subject_key, given.received_at, given.identity_requested_at,
    given.identity_received_at, given.withdraw_until
FROM jsonb_array_elements(cast(:requests AS jsonb)) WITH ORDINALITY AS element (request, place)
CROSS JOIN LATERAL jsonb_to_record(element.request) AS given (
    reference text, channel text, subject_key text, received_at timestamptz, identity_requested_at timestamptz,
    identity_received_at timestamptz, withdraw_until date
)
ORDER BY element.place
ON CONFLICT (reference) DO NOTHING
RETURNING request_id, reference
