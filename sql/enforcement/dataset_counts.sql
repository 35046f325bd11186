-- How large were a run's datasets before, and what was sampled?
-- params:  run_id bigint
-- returns: one row for each dataset (all columns of dataset_count)
-- locks:   none
SELECT * FROM holdfast.dataset_count WHERE run_id = :run_id ORDER BY dataset
