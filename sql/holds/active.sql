-- Which holds hold on this day?
-- params:  as_of date
-- returns: one row for each (hold_id, source_id, reference, hold_type, authority, ground, disclosable, subject_key,
--          datasets, record_key, period_from, period_to, ends_on, review_on, placed_at)
-- locks:   none
SELECT
    hold_id, source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,
    period_from, period_to, ends_on, review_on, placed_at
FROM holdfast.hold
WHERE released_at IS NULL AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))
ORDER BY hold_id
