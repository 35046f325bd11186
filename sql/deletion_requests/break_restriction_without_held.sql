-- What is restricted although nothing of it stays: the request is closed, or a run's last count found nothing?
-- params:  run_id bigint, examples integer
-- returns: one row for each dataset (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    mark.dataset AS about,
    count(*) AS found,
    (array_agg(mark.request_id ORDER BY mark.request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.restriction AS mark
INNER JOIN holdfast.deletion_request AS request ON mark.request_id = request.request_id
LEFT JOIN holdfast.request_after AS after
    ON
        after.run_id = :run_id
        AND after.request_id = mark.request_id
        AND after.dataset = mark.dataset
WHERE
    mark.lifted_at IS NULL
    AND (request.closed_at IS NOT NULL OR (after.decision = 'not_held' AND after.rows_held + after.rows_exempt = 0))
GROUP BY mark.dataset
ORDER BY mark.dataset
