-- How did requests for a review end, of decisions made since a moment, of these subjects (NULL: of all)?
-- A request that was withdrawn has ended too. `reviewer` is whatever tells reviewers apart; it never leaves as it is.
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each ending (record_key text, case_key text, request_key text, at timestamptz, measured_from
--          timestamptz: of the request, outcome text: upheld, overturned, varied, withdrawn or omitted, reviewer text,
--          reviewer_is_decider boolean, seconds_spent integer, evidence_viewed boolean)
-- locks:   none
SELECT
    'decided|' || outcome.review_request_id AS record_key,
    cast(request.suspension_id AS text) AS case_key,
    cast(outcome.review_request_id AS text) AS request_key,
    outcome.decided_at AS at,
    request.requested_at AS measured_from,
    outcome.outcome,
    CASE WHEN outcome.outcome <> 'omitted' THEN outcome.reviewer END AS reviewer,
    coalesce(outcome.reviewer = suspension.decided_by, FALSE) AS reviewer_is_decider,
    outcome.seconds_spent,
    outcome.evidence_viewed
FROM provider.review_outcome AS outcome
LEFT JOIN provider.review_request AS request ON request.review_request_id = outcome.review_request_id
LEFT JOIN provider.suspension ON suspension.suspension_id = request.suspension_id
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
UNION ALL
SELECT
    'withdrawn|' || request.review_request_id, cast(request.suspension_id AS text),
    cast(request.review_request_id AS text), request.withdrawn_at, request.requested_at, 'withdrawn',
    NULL, NULL, NULL, NULL
FROM provider.review_request AS request
LEFT JOIN provider.suspension ON suspension.suspension_id = request.suspension_id
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
    AND request.withdrawn_at IS NOT NULL
