-- What is kept encrypted of a run's rows?
-- params:  run_id bigint
-- returns: one row for each batch (batch_id bigint, dataset text, wave integer, ends_on date, kept_rows bigint,
--          digest text: of what is encrypted), parents before children
-- locks:   none
SELECT
    batch_id,
    dataset,
    wave,
    ends_on,
    kept_rows,
    encode(sha256(sealed), 'hex') AS digest
FROM holdfast.undo_batch
WHERE run_id = :run_id
ORDER BY wave DESC, dataset ASC, batch_id ASC
