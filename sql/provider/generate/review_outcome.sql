-- How did the reviews end? Nine in ten were decided within a day.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.review_outcome
INSERT INTO provider.review_outcome (review_request_id, decided_at, outcome, reviewer, reasons)
SELECT
    review_request.review_request_id,
    review_request.requested_at
    + make_interval(
        mins => cast(20 + provider.synthetic_draw(review_request.suspension_id, 'pondered', :seed) % 1400 AS integer)
    ),
    (ARRAY['upheld', 'upheld', 'overturned', 'varied'])[
        1 + provider.synthetic_draw(review_request.suspension_id, 'outcome', :seed) % 4
    ],
    'reviewer-' || (1 + review_request.suspension_id % 9),
    'The traffic was looked at by a person, with what the customer said.'
FROM provider.review_request
LEFT JOIN synthetic_case AS known
    ON known.dataset = 'review_outcomes' AND known.case_no = review_request.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        review_request.suspension_id > 1000 AND review_request.withdrawn_at IS NULL
        AND provider.synthetic_draw(review_request.suspension_id, 'decided review', :seed) % 10 > 0
    )
