-- Which suspensions did customers ask a person to review? Three in five. A few were asked for before the decision, if the
-- records are right, and a few were given to nobody.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.review_request
INSERT INTO provider.review_request (
    review_request_id, suspension_id, kind, requested_at, withdrawn_at, representations, assigned_at
)
SELECT
    provider.synthetic_uuid(suspension.suspension_id, 'review_requests', :seed), suspension.suspension_id,
    (ARRAY['human_review', 'contest', 'representation'])[1 + suspension.suspension_id % 3],
    suspension.decided_at + CASE WHEN odd.n BETWEEN 61 AND 63 THEN interval '-2 hours' ELSE interval '5 hours' END,
    CASE
        WHEN
            suspension.suspension_id > 1000
            AND provider.synthetic_draw(suspension.suspension_id, 'withdrew review', :seed) % 20 = 0
            THEN suspension.decided_at + interval '8 hours'
    END,
    'I did nothing of the kind; I was on holiday in ' || provider.synthetic_town(suspension.suspension_id, :seed) || '.',
    CASE WHEN odd.n NOT BETWEEN 64 AND 66 THEN suspension.decided_at + interval '6 hours' END
FROM provider.suspension
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN suspension.suspension_id > 1000
                THEN provider.synthetic_draw(suspension.suspension_id, 'oddity', :seed) % 1000
            ELSE 999
        END AS n
) AS odd
LEFT JOIN synthetic_case AS known ON known.dataset = 'review_requests' AND known.case_no = suspension.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        suspension.suspension_id > 1000
        AND provider.synthetic_draw(suspension.suspension_id, 'asked', :seed) % 5 < 3
    )
