-- Which suspensions did customers ask a person to review? Three in five.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.review_request
INSERT INTO provider.review_request (
    review_request_id, suspension_id, kind, requested_at, withdrawn_at, representations
)
SELECT
    provider.synthetic_uuid(suspension.suspension_id, 'review_requests', :seed), suspension.suspension_id,
    (ARRAY['human_review', 'contest', 'representation'])[1 + suspension.suspension_id % 3],
    suspension.decided_at + interval '5 hours',
    CASE
        WHEN
            suspension.suspension_id > 1000
            AND provider.synthetic_draw(suspension.suspension_id, 'withdrew review', :seed) % 20 = 0
            THEN suspension.decided_at + interval '8 hours'
    END,
    'I did nothing of the kind; I was on holiday in ' || provider.synthetic_town(suspension.suspension_id, :seed) || '.'
FROM provider.suspension
LEFT JOIN synthetic_case AS known ON known.dataset = 'review_requests' AND known.case_no = suspension.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        suspension.suspension_id > 1000
        AND provider.synthetic_draw(suspension.suspension_id, 'asked', :seed) % 5 < 3
    )
