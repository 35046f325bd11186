-- Of which requests did a restored backup bring data back, as a run or a person before it found?
-- params:  run_id bigint, examples integer
-- returns: one row for each dataset (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    dataset AS about,
    count(*) AS found,
    (array_agg(request_id ORDER BY request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.came_back
WHERE run_id = :run_id
GROUP BY dataset
ORDER BY dataset
