-- Whose cool-off is over, so that the matrix may say what would be erased? One that somebody is changing just now waits
-- for the next night, and holds up nobody. An unpaid fee holds its own request up.
-- params:  today date
-- returns: request_id bigint
-- locks:   the requests' rows
SELECT request_id
FROM holdfast.deletion_request
WHERE
    state = 'verified'
    AND withdraw_until < cast(:today AS date)
    AND (fee_requested_at IS NULL OR fee_paid_at IS NOT NULL)
ORDER BY request_id
FOR NO KEY UPDATE SKIP LOCKED
