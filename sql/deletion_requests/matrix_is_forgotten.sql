-- Was the matrix of a run forgotten?
-- params:  run_id bigint
-- returns: one row (is_forgotten boolean)
-- locks:   none
SELECT
    EXISTS (
        SELECT FROM holdfast.request_night WHERE run_id = :run_id AND matrix_forgotten_at IS NOT NULL
    ) AS is_forgotten
