-- How did the reviews end? Nine in ten were decided within a day; a few of these had been withdrawn, and a few were
-- decided before they were asked for, if the records are right. One reviewer takes no time and agrees with everything.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.review_outcome
INSERT INTO provider.review_outcome (review_request_id, decided_at, outcome, reviewer, reasons, seconds_spent, evidence_viewed)
SELECT
    review_request.review_request_id,
    review_request.requested_at
    + make_interval(
        mins => CASE
            WHEN odd.n = 75 THEN -30
            ELSE cast(20 + provider.synthetic_draw(review_request.suspension_id, 'pondered', :seed) % 1400 AS integer)
        END
    ),
    CASE
        WHEN review_request.suspension_id > 1000 AND review_request.suspension_id % 9 = 4 THEN 'upheld'
        WHEN odd.n BETWEEN 76 AND 80 THEN 'omitted'
        ELSE (ARRAY['upheld', 'upheld', 'overturned', 'varied'])[
            1 + provider.synthetic_draw(review_request.suspension_id, 'outcome', :seed) % 4
        ]
    END,
    'reviewer-' || (1 + review_request.suspension_id % 9),
    'The traffic was looked at by a person, with what the customer said.',
    CASE
        WHEN review_request.suspension_id > 1000 AND review_request.suspension_id % 9 = 4 THEN 12
        ELSE cast(120 + provider.synthetic_draw(review_request.suspension_id, 'looked', :seed) % 2400 AS integer)
    END,
    provider.synthetic_draw(review_request.suspension_id, 'evidence', :seed) % 10 > 0
FROM provider.review_request
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN review_request.suspension_id > 1000
                THEN provider.synthetic_draw(review_request.suspension_id, 'oddity', :seed) % 1000
            ELSE 999
        END AS n
) AS odd
LEFT JOIN synthetic_case AS known
    ON known.dataset = 'review_outcomes' AND known.case_no = review_request.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        review_request.suspension_id > 1000 AND (review_request.withdrawn_at IS NULL OR odd.n < 30)
        AND provider.synthetic_draw(review_request.suspension_id, 'decided review', :seed) % 10 > 0
    )
