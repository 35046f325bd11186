-- What is known of this run?
-- params:  run_id bigint
-- returns: one row (all columns of run), or none
-- locks:   none
SELECT * FROM holdfast.run WHERE run_id = :run_id
