-- How many holds hold on this day, of each type that may be told of?
-- params:  as_of date, nameable text[]
-- returns: one row for each (hold_type text, holds bigint, next_end date, reviews_overdue bigint)
-- locks:   none
SELECT
    hold.hold_type,
    count(*) AS holds,
    min(hold.ends_on) AS next_end,
    count(*) FILTER (WHERE hold.review_on < cast(:as_of AS date)) AS reviews_overdue
FROM holdfast.hold
WHERE
    hold.released_at IS NULL
    AND (hold.ends_on IS NULL OR hold.ends_on >= cast(:as_of AS date))
    AND hold.disclosable
    AND hold.hold_type = any(cast(:nameable AS text []))
GROUP BY hold.hold_type
