-- How many requests are in each state, and what does each wait for or why did it end?
-- params:  as_of date, zone text
-- returns: one row for each state and reason (state text, is_final boolean, reason text, requests bigint,
--          duplicates bigint, oldest_received_on date)
-- locks:   none
WITH explained AS (
    SELECT
        request.request_id, request.state, request.duplicate_of, request.received_at,
        CASE
            WHEN request.state = 'refused' THEN request.refusal_reason
            WHEN request.closed_at IS NOT NULL THEN 'ended'
            WHEN request.state = 'partly_completed' THEN 'rest'
            WHEN request.state IN ('approved', 'executing') THEN 'night'
            WHEN request.fee_requested_at IS NOT NULL AND request.fee_paid_at IS NULL THEN 'fee'
            WHEN request.state = 'received' THEN 'new'
            WHEN request.state = 'identity_pending' AND request.identity_received_at IS NULL THEN 'identity'
            WHEN request.state = 'identity_pending' THEN 'verification'
            WHEN request.state = 'verified' AND request.withdraw_until >= cast(:as_of AS date) THEN 'cool_off'
            WHEN request.state = 'verified' THEN 'assessment'
            WHEN request.first_approved_by IS NOT NULL THEN 'second_approval'
            ELSE 'approval'
        END AS reason
    FROM holdfast.deletion_request AS request
)

SELECT
    known.state,
    known.is_final,
    coalesce(explained.reason, 'ended') AS reason,
    count(*) AS requests,
    count(explained.duplicate_of) AS duplicates,
    cast(timezone(cast(:zone AS text), min(explained.received_at)) AS date) AS oldest_received_on
FROM holdfast.request_state AS known
INNER JOIN explained ON known.state = explained.state
GROUP BY known.state, known.is_final, explained.reason
ORDER BY known.is_final, known.state, explained.reason
