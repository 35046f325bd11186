-- Where does something stay of a request that was carried out, by a run's count after its work, and is not restricted?
-- params:  run_id bigint, examples integer
-- returns: one row for each dataset (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    after.dataset AS about,
    count(*) AS found,
    (array_agg(after.request_id ORDER BY after.request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.request_after AS after
INNER JOIN holdfast.deletion_request AS request ON after.request_id = request.request_id
WHERE
    after.run_id = :run_id
    AND request.state IN ('executing', 'partly_completed')
    AND (after.decision IN ('held', 'exempt', 'waiting', 'unknown') OR after.rows_held + after.rows_exempt > 0)
    AND NOT EXISTS (
        SELECT
        FROM holdfast.restriction AS mark
        WHERE mark.request_id = after.request_id AND mark.dataset = after.dataset AND mark.lifted_at IS NULL
    )
GROUP BY after.dataset
ORDER BY after.dataset
