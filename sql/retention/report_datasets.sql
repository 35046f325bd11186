-- Do the rows of each dataset add up, before and after?
-- params:  run_id bigint
-- returns: one row for each dataset; NULL where the run did not get as far as counting
-- locks:   none
SELECT
    dataset,
    before_rows,
    deleted_rows,
    after_rows,
    arrived_versions,
    sample_rows,
    sample_unchanged
FROM holdfast.dataset_count
WHERE run_id = :run_id
ORDER BY dataset
