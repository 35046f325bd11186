-- Whose rows of a dataset may not come back, because a request that asks for them was carried out since?
-- params:  dataset text, since timestamptz
-- returns: one row for each (subject_key text: the account, or after a restore of the database its pseudonym)
-- locks:   none
SELECT DISTINCT request.subject_key
FROM holdfast.deletion_request AS request
WHERE
    request.state IN ('executing', 'partly_completed', 'completed')
    AND (request.closed_at IS NULL OR request.closed_at >= cast(:since AS timestamptz))
    AND (
        NOT EXISTS (SELECT FROM holdfast.request_part AS part WHERE part.request_id = request.request_id)
        OR EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE
                part.request_id = request.request_id
                AND (part.dataset = cast(:dataset AS text) OR part.category IS NOT NULL)
        )
    )
