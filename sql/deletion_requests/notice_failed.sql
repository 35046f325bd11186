-- Note that a notice could not be sent, by the kind of error alone.
-- params:  notice_id bigint, now timestamptz, failure text
-- returns: none
-- locks:   the notice's row
UPDATE holdfast.recipient_notice
SET attempts = attempts + 1, last_attempt_at = :now, failure = :failure
WHERE notice_id = :notice_id
