-- How many decisions of each kind does a run's matrix have, dataset by dataset?
-- params:  run_id bigint
-- returns: one row for each dataset and decision (dataset, decision, decisions, rows_found, rows_acted, rows_held,
--          rows_exempt)
-- locks:   none
SELECT
    dataset,
    decision,
    count(*) AS decisions,
    cast(sum(rows_found) AS bigint) AS rows_found,
    cast(sum(rows_acted) AS bigint) AS rows_acted,
    cast(sum(rows_held) AS bigint) AS rows_held,
    cast(sum(rows_exempt) AS bigint) AS rows_exempt
FROM holdfast.request_decision
WHERE run_id = :run_id
GROUP BY dataset, decision
ORDER BY dataset, decision
