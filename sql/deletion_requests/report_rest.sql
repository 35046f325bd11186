-- What stays of requests that may be carried out, dataset by dataset, by the last count of a run?
-- params:  run_id bigint
-- returns: one row for each dataset (dataset text, requests bigint, rows_held bigint, rows_exempt bigint)
-- locks:   none
WITH counted AS (
    SELECT dataset, decision, reason, rows_held, rows_exempt FROM holdfast.request_after WHERE run_id = :run_id
    UNION ALL
    SELECT dataset, decision, reason, rows_held, rows_exempt
    FROM holdfast.request_decision
    WHERE run_id = :run_id AND NOT EXISTS (SELECT FROM holdfast.request_after AS after WHERE after.run_id = :run_id)
)

SELECT
    dataset,
    count(*) AS requests,
    cast(sum(rows_held) AS bigint) AS rows_held,
    cast(sum(rows_exempt) AS bigint) AS rows_exempt
FROM counted
WHERE
    NOT (decision = 'waiting' AND reason IN ('identity', 'cool_off', 'approval'))
    AND (decision IN ('held', 'exempt', 'waiting', 'unknown') OR rows_held + rows_exempt > 0)
GROUP BY dataset
ORDER BY dataset
