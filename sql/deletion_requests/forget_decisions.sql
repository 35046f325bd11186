-- Forget a run's earlier matrix, which nothing was done by.
-- params:  run_id bigint
-- returns: none
-- locks:   the matrix's rows
DELETE FROM holdfast.request_decision WHERE run_id = :run_id
