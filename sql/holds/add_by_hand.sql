-- Add the staged holds that people placed and this register lacks. None ends here: one that is being placed at this
-- moment reaches the main register last, and would be lost.
-- params:  source_id text, types jsonb
-- returns: one row (placed bigint, changed bigint, ended bigint)
-- locks:   holdfast.hold ROW EXCLUSIVE, and the new rows
WITH placed AS (
    INSERT INTO holdfast.hold (
        source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,
        period_from, period_to, ends_on, review_on, placed_at, placed_by
    )
    SELECT
        :source_id, staged.reference, staged.hold_type, kind.authority, staged.ground,
        staged.disclosable AND kind.disclosable, staged.subject_key, staged.datasets, staged.record_key,
        staged.period_from, staged.period_to, staged.ends_on, staged.review_on, clock_timestamp(), 'source'
    FROM pg_temp.hold_staged AS staged
    INNER JOIN jsonb_to_recordset(cast(:types AS jsonb)) AS kind (hold_type text, authority text, disclosable boolean)
        ON staged.hold_type = kind.hold_type
    ORDER BY staged.reference
    ON CONFLICT (source_id, reference) DO NOTHING
    RETURNING hold_id
)

SELECT
    count(*) AS placed,
    cast(0 AS bigint) AS changed,
    cast(0 AS bigint) AS ended
FROM placed
