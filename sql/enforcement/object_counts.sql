-- How many objects had no row in a run, for each dataset that names folders?
-- params:  run_id bigint
-- returns: one row for each (dataset text, objects bigint, without_row bigint, unknown_because text); none for datasets
--          that were not looked at
-- locks:   none
SELECT
    dataset,
    objects,
    without_row,
    unknown_because
FROM holdfast.object_count
WHERE run_id = :run_id
ORDER BY dataset
