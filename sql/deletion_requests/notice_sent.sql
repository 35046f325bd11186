-- Note that notices were sent.
-- params:  notices bigint[], now timestamptz
-- returns: none
-- locks:   the notices' rows
UPDATE holdfast.recipient_notice
SET attempts = attempts + 1, last_attempt_at = :now, sent_at = :now, failure = NULL
WHERE notice_id = any(cast(:notices AS bigint []))
