-- Keep the encrypted rows of a batch.
-- params:  run_id bigint, rule_id text, dataset text, wave integer, gone_by date, ends_on date, why text, kept_rows bigint, row_columns text[], column_types text[], sealed bytea
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.undo_batch (
    run_id, rule_id, dataset, wave, gone_by, ends_on, why, kept_rows, row_columns, column_types, sealed
)
VALUES (
    :run_id, :rule_id, :dataset, :wave, :gone_by, :ends_on, :why, :kept_rows, :row_columns, :column_types, :sealed
)
