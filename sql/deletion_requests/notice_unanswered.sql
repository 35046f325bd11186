-- Which notices were queued before a moment and are still open?
-- params:  before timestamptz
-- returns: one row for each, oldest first (notice_id bigint, request_id bigint, recipient text, kind text,
--          sent_at timestamptz or NULL, attempts integer, failure text or NULL)
-- locks:   none
SELECT notice_id, request_id, recipient, kind, sent_at, attempts, failure
FROM holdfast.recipient_notice
WHERE outcome IS NULL AND queued_at < :before
ORDER BY queued_at, notice_id
