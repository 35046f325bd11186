-- Which holds hold on this day, page by page, the latest first?
-- params:  as_of date, nameable text[], secret boolean, hold_type text, before_hold bigint, holds bigint
-- returns: one row for each (hold_id, source_id, reference, hold_type, authority, ground, subject_key, datasets,
--          has_record boolean, period_from, period_to, ends_on, review_on, placed_at); those that may be told of or, if
--          they are asked for as secret, the others
-- locks:   none
SELECT
    hold.hold_id,
    hold.source_id,
    hold.reference,
    hold.hold_type,
    hold.authority,
    hold.ground,
    hold.subject_key,
    hold.datasets,
    hold.record_key IS NOT NULL AS has_record,
    hold.period_from,
    hold.period_to,
    hold.ends_on,
    hold.review_on,
    hold.placed_at
FROM holdfast.hold
WHERE
    hold.released_at IS NULL
    AND (hold.ends_on IS NULL OR hold.ends_on >= cast(:as_of AS date))
    AND (hold.disclosable AND hold.hold_type = any(cast(:nameable AS text []))) <> cast(:secret AS boolean)
    AND (cast(:hold_type AS text) IS NULL OR hold.hold_type = cast(:hold_type AS text))
    AND (cast(:before_hold AS bigint) IS NULL OR hold.hold_id < cast(:before_hold AS bigint))
ORDER BY hold.hold_id DESC
LIMIT :holds
