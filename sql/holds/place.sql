-- Put a hold that a person places into the register.
-- params:  source_id text, hold jsonb
-- returns: hold_id bigint; no row where the reference has been used before
-- locks:   holdfast.hold ROW EXCLUSIVE, and the new row
INSERT INTO holdfast.hold (
    source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,
    period_from, period_to, ends_on, review_on, placed_at, placed_by
)
SELECT
    :source_id, given.reference, given.hold_type, given.authority, given.ground, given.disclosable,
    given.subject_key, given.datasets, given.record_key, given.period_from, given.period_to, given.ends_on,
    given.review_on, clock_timestamp(), given.placed_by
FROM jsonb_to_record(cast(:hold AS jsonb)) AS given (
    reference text, hold_type text, authority text, ground text, disclosable boolean, subject_key text,
    datasets text [], record_key text, period_from date, period_to date, ends_on date, review_on date, placed_by text
)
ON CONFLICT (source_id, reference) DO NOTHING
RETURNING hold_id
