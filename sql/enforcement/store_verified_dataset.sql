-- Store what verification found for one dataset.
-- params:  run_id bigint, dataset text, deleted_rows bigint, after_rows bigint, arrived_versions bigint, sample_unchanged boolean
-- returns: none
-- locks:   the dataset's row
UPDATE holdfast.dataset_count
SET
    deleted_rows = :deleted_rows, after_rows = :after_rows, arrived_versions = :arrived_versions,
    sample_unchanged = :sample_unchanged
WHERE run_id = :run_id AND dataset = :dataset
