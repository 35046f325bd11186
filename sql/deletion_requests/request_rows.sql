-- How many rows would a request change, by the latest matrix that there is? Those that only a hold keeps which must not be
-- disclosed count, so that neither the number nor the second approval betrays it.
-- params:  request_id bigint
-- returns: one row (row_count bigint); NULL where the latest matrix does not have the request
-- locks:   none
WITH latest AS (
    SELECT max(run_id) AS run_id FROM holdfast.request_decision
)

SELECT cast(sum(decision.size_rows) AS bigint) AS row_count
FROM holdfast.request_size AS decision
INNER JOIN latest ON decision.run_id = latest.run_id
WHERE decision.request_id = :request_id
