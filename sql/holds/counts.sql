-- How many holds hold on this day, of which type?
-- params:  as_of date, restricted boolean
-- returns: one row for each (authority text, hold_type text, holds bigint, subjects bigint, next_end date,
--          reviews_overdue bigint); what must not be disclosed is counted only in the restricted edition
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
    AND (disclosable OR cast(:restricted AS boolean))
GROUP BY authority, hold_type
ORDER BY authority, hold_type
