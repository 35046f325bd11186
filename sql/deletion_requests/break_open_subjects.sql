-- Whom are the requests about that are open?
-- params:  none
-- returns: request_id bigint, subject_key text, is_early boolean: nothing can have been erased for it yet
-- locks:   none
SELECT
    request_id,
    subject_key,
    state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved') AS is_early
FROM holdfast.deletion_request
WHERE state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved', 'executing', 'partly_completed')
ORDER BY request_id
