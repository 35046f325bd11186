-- Store how many objects of a dataset's folders have no row, or why nobody can say.
-- params:  run_id bigint, dataset text, objects bigint, without_row bigint, unknown_because text
-- returns: none
-- locks:   the row
INSERT INTO holdfast.object_count (run_id, dataset, objects, without_row, unknown_because)
VALUES (:run_id, :dataset, :objects, :without_row, :unknown_because)
ON CONFLICT (run_id, dataset) DO UPDATE SET
    objects = excluded.objects,
    without_row = excluded.without_row,
    unknown_because = excluded.unknown_because,
    counted_at = excluded.counted_at
