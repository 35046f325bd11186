-- How many holds hold on this day, of which type?
-- params:  as_of date, nameable text[]
-- returns: one row for each (authority text, hold_type text, holds bigint, subjects bigint, next_end date,
--          reviews_overdue bigint); with a list of nameable types only what may be told
-- locks:   none
SELECT
    authority,
    hold_type,
    count(*) AS holds,
    count(DISTINCT subject_key) AS subjects,
    min(ends_on) AS next_end,
    count(*) FILTER (WHERE review_on < cast(:as_of AS date)) AS reviews_overdue
FROM holdfast.hold
WHERE
    released_at IS NULL
    AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))
    AND (cast(:nameable AS text []) IS NULL OR (disclosable AND hold_type = any(cast(:nameable AS text []))))
GROUP BY authority, hold_type
ORDER BY authority, hold_type
