-- Which requests are open although nothing in their scope is left, by a run's last count?
-- params:  run_id bigint, examples integer
-- returns: at most one row (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
WITH counted AS (
    SELECT request_id, decision, rows_held, rows_exempt FROM holdfast.request_after WHERE run_id = :run_id
    UNION ALL
    SELECT request_id, decision, rows_held, rows_exempt
    FROM holdfast.request_decision
    WHERE run_id = :run_id AND NOT EXISTS (SELECT FROM holdfast.request_after AS after WHERE after.run_id = :run_id)
),

gone AS (
    SELECT counted.request_id
    FROM counted
    INNER JOIN holdfast.deletion_request AS request ON counted.request_id = request.request_id
    WHERE request.state IN ('approved', 'executing', 'partly_completed')
    GROUP BY counted.request_id
    HAVING bool_and(counted.decision = 'not_held' AND counted.rows_held + counted.rows_exempt = 0)
)

SELECT
    '' AS about,
    count(*) AS found,
    (array_agg(request_id ORDER BY request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM gone
HAVING count(*) > 0
