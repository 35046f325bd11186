-- Where does a run's matrix have more held rows than the count after its work, though no hold that could reach them was
-- placed, changed or released meanwhile? Whoever removed them, rows went while a hold was active.
-- params:  run_id bigint, examples integer
-- returns: one row for each dataset (about text, found bigint: pairs of request and dataset, requests bigint[],
--          holds bigint[])
-- locks:   none
SELECT
    planned.dataset AS about,
    count(*) AS found,
    (array_agg(planned.request_id ORDER BY planned.request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.run
INNER JOIN holdfast.request_decision AS planned ON run.run_id = planned.run_id
INNER JOIN holdfast.request_after AS after
    ON
        planned.run_id = after.run_id
        AND planned.request_id = after.request_id
        AND planned.dataset = after.dataset
INNER JOIN holdfast.deletion_request AS request ON planned.request_id = request.request_id
WHERE
    run.run_id = :run_id
    AND planned.rows_held > 0
    AND planned.rows_held > after.rows_held
    AND NOT EXISTS (
        SELECT
        FROM holdfast.hold
        WHERE
            (hold.subject_key IS NULL OR hold.subject_key = request.subject_key)
            AND (hold.datasets IS NULL OR planned.dataset = any(hold.datasets))
            AND (
                hold.released_at >= run.opened_at
                OR NOT pg_visible_in_snapshot(hold.changed_xid, cast(run.plan_snapshot AS pg_snapshot))
            )
    )
GROUP BY planned.dataset
ORDER BY planned.dataset
