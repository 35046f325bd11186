-- Forget an earlier count after the work.
-- params:  run_id bigint
-- returns: none
-- locks:   the rows of that count
DELETE FROM holdfast.request_after WHERE run_id = :run_id
