-- Note that a notice was sent.
-- params:  notice_id bigint, now timestamptz
-- returns: none
-- locks:   the notice's row
UPDATE holdfast.recipient_notice
SET attempts = attempts + 1, last_attempt_at = :now, sent_at = :now, failure = NULL
WHERE notice_id = :notice_id
