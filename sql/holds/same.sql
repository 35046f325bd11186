-- Is this very hold in the register, and not released?
-- params:  source_id text, hold jsonb
-- returns: hold_id bigint, or no row
-- locks:   none
SELECT known.hold_id
FROM
    holdfast.hold AS known,
    jsonb_to_record(cast(:hold AS jsonb)) AS given (
        reference text, hold_type text, ground text, disclosable boolean, subject_key text, datasets text [],
        record_key text, period_from date, period_to date, ends_on date
    )
WHERE
    known.source_id = :source_id
    AND known.reference = given.reference
    AND known.released_at IS NULL
    AND (
        known.hold_type, known.ground, known.disclosable, known.subject_key, known.datasets, known.record_key,
        known.period_from, known.period_to, known.ends_on
    ) IS NOT DISTINCT FROM (
        given.hold_type, given.ground, given.disclosable, given.subject_key, given.datasets, given.record_key,
        given.period_from, given.period_to, given.ends_on
    )
