-- Whose letters are past their own period? Those of requests closed before a moment that are still there, unless a hold
-- covers everything about the person, or a source of holds is not believed.
-- params:  closed_before timestamptz, today date, at_once bigint
-- returns: request_id bigint, at most at_once in order
-- locks:   none
SELECT request.request_id
FROM holdfast.deletion_request AS request
WHERE
    request.closed_at < :closed_before
    AND (
        EXISTS (
            SELECT
            FROM holdfast.request_letter AS letter
            WHERE letter.request_id = request.request_id AND letter.erased_at IS NULL
        )
        OR EXISTS (
            SELECT
            FROM holdfast.request_addressee AS kept
            WHERE kept.request_id = request.request_id AND kept.erased_at IS NULL
        )
    )
    AND NOT EXISTS (SELECT FROM holdfast.hold_source WHERE status <> 'trusted')
    AND NOT EXISTS (
        SELECT
        FROM holdfast.hold
        WHERE
            hold.released_at IS NULL
            AND (hold.ends_on IS NULL OR hold.ends_on >= cast(:today AS date))
            AND (hold.subject_key IS NULL OR hold.subject_key = request.subject_key)
            AND hold.datasets IS NULL
    )
ORDER BY request.request_id
LIMIT :at_once
