-- Whose service came back because a review overturned the decision? Within two days, and of a few it never did.
-- params: seed bigint
-- returns: the number of rows changed
-- locks: those rows of provider.suspension
UPDATE provider.suspension
SET
    restored_at = CASE
        WHEN provider.synthetic_draw(suspension.suspension_id, 'oddity', :seed) % 1000 NOT BETWEEN 81 AND 86
            THEN outcome.decided_at + make_interval(
                hours => cast(1 + provider.synthetic_draw(suspension.suspension_id, 'restored', :seed) % 47 AS integer)
            )
    END,
    restored_because = 'review'
FROM provider.review_request AS request
INNER JOIN provider.review_outcome AS outcome ON outcome.review_request_id = request.review_request_id
WHERE
    request.suspension_id = suspension.suspension_id AND suspension.suspension_id > 1000
    AND outcome.outcome = 'overturned'
