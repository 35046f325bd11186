-- Which holds have people placed? To every other database the main register is the source of these.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    reference, hold_type, subject_key, datasets, record_key, period_from, period_to, ground, disclosable, ends_on,
    review_on
FROM holdfast.hold
WHERE source_id = 'manual' AND released_at IS NULL AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))
