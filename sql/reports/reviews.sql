-- When is the next review of the holds that were active in the run and may be named?
-- params:  run_id bigint
-- returns: one row for each hold type (hold_type, next_review, overdue_reviews)
-- locks:   none
SELECT
    hold.hold_type,
    min(hold.review_on) FILTER (WHERE hold.review_on >= run.as_of_date) AS next_review,
    count(*) FILTER (WHERE hold.review_on < run.as_of_date) AS overdue_reviews
FROM holdfast.run
INNER JOIN holdfast.hold
    ON
        hold.placed_at <= coalesce(run.holds_as_of, run.opened_at)
        AND (hold.released_at IS NULL OR hold.released_at > coalesce(run.holds_as_of, run.opened_at))
        AND (hold.ends_on IS NULL OR hold.ends_on >= run.as_of_date)
WHERE run.run_id = :run_id AND hold.disclosable
GROUP BY hold.hold_type
ORDER BY hold.hold_type
