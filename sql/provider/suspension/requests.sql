-- Who asked that a person looks at a decision again, made since a moment, of these subjects (NULL: of all)?
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each request (record_key text, case_key text, at timestamptz, measured_from timestamptz: of the
--          decision, kind text: human_review, contest or representation, assigned_minutes integer: from the request)
-- locks:   none
SELECT
    cast(request.review_request_id AS text) AS record_key,
    cast(request.suspension_id AS text) AS case_key,
    request.requested_at AS at,
    suspension.decided_at AS measured_from,
    request.kind,
    cast(extract(EPOCH FROM request.assigned_at - request.requested_at) / 60 AS integer) AS assigned_minutes
FROM provider.review_request AS request
LEFT JOIN provider.suspension ON suspension.suspension_id = request.suspension_id
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
