-- Which holds are in the register?
-- params:  as_of date, ended boolean, hold_type text, nameable text[]
-- returns: one row for each (hold_id, source_id, reference, hold_type, authority, ground, disclosable, subject_key,
--          datasets, record_key, period_from, period_to, ends_on, review_on, placed_at, released_at); without ended only
--          those that hold on the day; with a list of nameable types only what may be told
-- locks:   none
SELECT
    hold_id, source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,
    period_from, period_to, ends_on, review_on, placed_at, released_at
FROM holdfast.hold
WHERE
    (cast(:ended AS boolean) OR (released_at IS NULL AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))))
    AND (cast(:hold_type AS text) IS NULL OR hold_type = cast(:hold_type AS text))
    AND (cast(:nameable AS text []) IS NULL OR (disclosable AND hold_type = any(cast(:nameable AS text []))))
ORDER BY hold_id
