-- Write down what was found, for a run or, where that is NULL, for the next one to report.
-- params:  run_id bigint
-- returns: none
-- locks:   the new rows
INSERT INTO holdfast.came_back (run_id, request_id, dataset, found_rows)
SELECT cast(:run_id AS bigint), request_id, dataset, found_rows
FROM found_again
ON CONFLICT DO NOTHING
