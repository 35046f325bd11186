-- Whom are the requests about of which nothing can have been erased yet?
-- params:  none
-- returns: request_id bigint, subject_key text
-- locks:   none
SELECT request_id, subject_key
FROM holdfast.deletion_request
WHERE state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved')
ORDER BY request_id
