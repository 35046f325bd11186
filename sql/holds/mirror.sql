-- Make the register say of one source what the staged holds say. What is the same already is not written again, because
-- a deletion looks up every hold that was written since its plan.
-- params:  source_id text, types jsonb
-- returns: one row (placed bigint, changed bigint, ended bigint)
-- locks:   holdfast.hold ROW EXCLUSIVE, and the rows written
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at -- taken once the table's lock is granted: a deletion may have had it until now
),

wanted AS MATERIALIZED (
    SELECT
        known.hold_id, staged.reference, staged.hold_type, kind.authority, staged.ground,
        -- A source may keep to itself what the policy would tell, and never the other way.
        staged.disclosable AND kind.disclosable AS disclosable,
        staged.subject_key, staged.datasets, staged.record_key, staged.period_from, staged.period_to, staged.ends_on,
        -- The usual day of review counts from the day of placing and does not move on with each night.
        coalesce(
            staged.review_on,
            CASE WHEN known.released_at IS NULL THEN known.review_on END,
            CASE WHEN staged.ends_on IS NULL THEN kind.review_on END
        ) AS review_on
    FROM pg_temp.hold_staged AS staged
    INNER JOIN jsonb_to_recordset(cast(:types AS jsonb))
        AS kind (hold_type text, authority text, disclosable boolean, review_on date)
        ON staged.hold_type = kind.hold_type
    LEFT JOIN holdfast.hold AS known ON known.source_id = :source_id AND staged.reference = known.reference
),

ended AS (
    UPDATE holdfast.hold
    SET released_at = moment.at, released_by = 'source'
    FROM moment
    WHERE
        hold.source_id = :source_id
        AND hold.released_at IS NULL
        AND NOT EXISTS (SELECT FROM wanted WHERE wanted.hold_id = hold.hold_id)
    RETURNING hold.hold_id
),

changed AS (
    UPDATE holdfast.hold
    SET
        hold_type = wanted.hold_type,
        authority = wanted.authority,
        ground = wanted.ground,
        disclosable = wanted.disclosable,
        subject_key = wanted.subject_key,
        datasets = wanted.datasets,
        record_key = wanted.record_key,
        period_from = wanted.period_from,
        period_to = wanted.period_to,
        ends_on = wanted.ends_on,
        review_on = wanted.review_on,
        -- A hold that comes back is placed anew: it was not there in between.
        placed_at = CASE WHEN hold.released_at IS NULL THEN hold.placed_at ELSE moment.at END,
        placed_xid = CASE WHEN hold.released_at IS NULL THEN hold.placed_xid ELSE pg_current_xact_id() END,
        released_at = NULL,
        released_by = NULL
    FROM moment
    CROSS JOIN wanted
    WHERE
        hold.hold_id = wanted.hold_id
        AND (
            hold.hold_type, hold.authority, hold.ground, hold.disclosable, hold.subject_key, hold.datasets,
            hold.record_key, hold.period_from, hold.period_to, hold.ends_on, hold.review_on, hold.released_at
        ) IS DISTINCT FROM (
            wanted.hold_type, wanted.authority, wanted.ground, wanted.disclosable, wanted.subject_key, wanted.datasets,
            wanted.record_key, wanted.period_from, wanted.period_to, wanted.ends_on, wanted.review_on, NULL
        )
    RETURNING hold.placed_at = moment.at AS is_placed_anew
),

placed AS (
    INSERT INTO holdfast.hold (
        source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,
        period_from, period_to, ends_on, review_on, placed_at, placed_by
    )
    SELECT
        :source_id, wanted.reference, wanted.hold_type, wanted.authority, wanted.ground, wanted.disclosable,
        wanted.subject_key, wanted.datasets, wanted.record_key, wanted.period_from, wanted.period_to, wanted.ends_on,
        wanted.review_on, moment.at, 'source'
    FROM wanted
    CROSS JOIN moment
    WHERE wanted.hold_id IS NULL
    ORDER BY wanted.reference
    RETURNING hold_id
)

SELECT
    (SELECT count(*) FROM placed) + (SELECT count(*) FROM changed WHERE is_placed_anew) AS placed,
    (SELECT count(*) FROM changed WHERE NOT is_placed_anew) AS changed,
    (SELECT count(*) FROM ended) AS ended
