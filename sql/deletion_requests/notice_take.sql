-- Which notices are to be sent next? Each is tried once at one moment, however often it fails.
-- params:  after_notice bigint, now timestamptz, at_once bigint
-- returns: at most at_once rows in order (notice_id bigint, request_id bigint, recipient text, kind text, datasets text[],
--          in_part text[], categories text[], queued_at timestamptz, reference text, subject_key text)
-- locks:   the notices' rows; passes over those that somebody else has
SELECT
    notice.notice_id, notice.request_id, notice.recipient, notice.kind, notice.datasets, notice.in_part,
    notice.categories, notice.queued_at, request.reference, request.subject_key
FROM holdfast.recipient_notice AS notice
INNER JOIN holdfast.deletion_request AS request ON request.request_id = notice.request_id
WHERE
    notice.notice_id > :after_notice
    AND notice.outcome IS NULL
    AND notice.sent_at IS NULL
    AND (notice.last_attempt_at IS NULL OR notice.last_attempt_at < :now)
ORDER BY notice.notice_id
LIMIT :at_once
FOR UPDATE OF notice SKIP LOCKED
