-- Note that rows are no longer encrypted with the key of a run and a day.
-- params:  run_id bigint, ends_on date, gone_rows bigint, kept_on_rows bigint
-- returns: none
-- locks:   the row of that key
INSERT INTO holdfast.undo_end AS known (run_id, ends_on, gone_rows, kept_on_rows)
VALUES (:run_id, :ends_on, :gone_rows, :kept_on_rows)
ON CONFLICT (run_id, ends_on) DO UPDATE
SET
    gone_rows = known.gone_rows + excluded.gone_rows,
    kept_on_rows = known.kept_on_rows + excluded.kept_on_rows
