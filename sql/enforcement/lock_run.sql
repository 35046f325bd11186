-- Hold a run's row for this transaction.
-- params:  run_id bigint
-- returns: one row (all columns of run)
-- locks:   the run's row
SELECT * FROM holdfast.run WHERE run_id = :run_id FOR UPDATE
