-- Store a dataset's size and the fingerprint of a sample of what is not due, before the run.
-- params:  run_id bigint, dataset text, before_rows bigint, sample_rows bigint, sample_percent double precision, sample_fingerprint text
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.dataset_count (run_id, dataset, before_rows, sample_rows, sample_percent, sample_fingerprint)
VALUES (:run_id, :dataset, :before_rows, :sample_rows, :sample_percent, :sample_fingerprint)
ON CONFLICT (run_id, dataset) DO NOTHING
