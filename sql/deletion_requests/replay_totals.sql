-- What came back, by dataset, as this run found it, or a person since the last one (run NULL)?
-- params:  run_id bigint
-- returns: one row for each dataset (dataset text, requests bigint, found_rows bigint)
-- locks:   none
SELECT dataset, count(*) AS requests, cast(sum(found_rows) AS bigint) AS found_rows
FROM holdfast.came_back
WHERE run_id IS NOT DISTINCT FROM cast(:run_id AS bigint)
GROUP BY dataset
ORDER BY dataset
