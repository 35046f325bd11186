-- Which live holds should have been looked at again by now?
-- params:  as_of date, nameable text[], other text, examples integer
-- returns: one row for each type that may be named, and one for all others (about text, found bigint,
--          requests bigint[]: open ones of the same subjects, holds bigint[])
-- locks:   none
WITH faulty AS (
    SELECT
        hold.hold_id,
        hold.subject_key,
        CASE
            WHEN hold.disclosable AND hold.hold_type = any(cast(:nameable AS text [])) THEN hold.hold_type
            ELSE cast(:other AS text)
        END AS about
    FROM holdfast.hold
    WHERE
        hold.released_at IS NULL
        AND (hold.ends_on IS NULL OR hold.ends_on >= cast(:as_of AS date))
        AND hold.review_on < cast(:as_of AS date)
)

SELECT
    faulty.about,
    count(DISTINCT faulty.hold_id) AS found,
    (array_agg(DISTINCT request.request_id) FILTER (WHERE request.request_id IS NOT NULL))[
        1:cast(:examples AS integer)
    ] AS requests,
    (array_agg(DISTINCT faulty.hold_id))[1:cast(:examples AS integer)] AS holds
FROM faulty
LEFT JOIN holdfast.deletion_request AS request
    ON faulty.subject_key = request.subject_key AND request.closed_at IS NULL
GROUP BY faulty.about
ORDER BY faulty.about
