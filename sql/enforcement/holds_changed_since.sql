-- Has a hold that could stop this dataset been placed or changed since the snapshot?
-- params:  snapshot text, types text[], dataset text
-- returns: one row (changed)
-- locks:   none
SELECT EXISTS (
    SELECT
    FROM holdfast.hold
    WHERE
        changed_xid >= pg_snapshot_xmin(cast(:snapshot AS pg_snapshot))
        AND NOT pg_visible_in_snapshot(changed_xid, cast(:snapshot AS pg_snapshot))
        AND hold_type = any(cast(:types AS text []))
        AND (datasets IS NULL OR :dataset = any(datasets))
) AS changed
