-- Note that notices could not be sent, each by the kind of its error alone.
-- params:  notices bigint[], failures text[], now timestamptz
-- returns: none
-- locks:   the notices' rows
UPDATE holdfast.recipient_notice AS notice
SET attempts = notice.attempts + 1, last_attempt_at = :now, failure = failed.failure
FROM unnest(cast(:notices AS bigint []), cast(:failures AS text [])) AS failed (notice_id, failure)
WHERE notice.notice_id = failed.notice_id
