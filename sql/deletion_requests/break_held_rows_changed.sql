-- Of which datasets are the held rows not what they were before a run, by the checksum that its verification took?
-- params:  run_id bigint, examples integer
-- returns: one row for each dataset (about text, found bigint, requests bigint[]: those with held rows in it,
--          holds bigint[])
-- locks:   none
SELECT
    plan.dataset AS about,
    cast(1 AS bigint) AS found,
    (
        array_agg(decision.request_id ORDER BY decision.request_id) FILTER (WHERE decision.request_id IS NOT NULL)
    )[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.plan_rule AS plan
LEFT JOIN holdfast.request_decision AS decision
    ON plan.run_id = decision.run_id AND plan.dataset = decision.dataset AND decision.rows_held > 0
WHERE plan.run_id = :run_id AND plan.held_unchanged IS FALSE
GROUP BY plan.dataset
ORDER BY plan.dataset
