-- Restrict what stays of requests that are carried out, and lift the restriction where nothing stays.
-- params:  run_id bigint
-- returns: one row (restricted, lifted)
-- locks:   the restrictions' rows
WITH
remaining AS (
    SELECT
        a.request_id,
        a.dataset,
        r.subject_key,
        a.decision IN ('held', 'exempt', 'waiting', 'unknown') OR a.rows_held + a.rows_exempt > 0 AS stays
    FROM holdfast.request_after AS a
    INNER JOIN holdfast.deletion_request AS r ON a.request_id = r.request_id
    WHERE a.run_id = :run_id AND r.state IN ('executing', 'partly_completed')
),

restricted AS (
    INSERT INTO holdfast.restriction AS x (subject_key, dataset, request_id, since)
    SELECT subject_key, dataset, request_id, clock_timestamp() FROM remaining WHERE stays
    ON CONFLICT (request_id, dataset) DO UPDATE SET since = excluded.since, lifted_at = NULL
        WHERE x.lifted_at IS NOT NULL -- it came back with a backup, and something keeps it now
    RETURNING request_id
),

lifted AS (
    UPDATE holdfast.restriction AS x SET lifted_at = clock_timestamp()
    FROM remaining AS m
    WHERE x.request_id = m.request_id AND x.dataset = m.dataset AND NOT m.stays AND x.lifted_at IS NULL
    RETURNING x.request_id
)

SELECT
    (SELECT count(*) FROM restricted) AS restricted,
    (SELECT count(*) FROM lifted) AS lifted
