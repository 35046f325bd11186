-- Forget what further databases decided for requests that are still carried out, to take it in once more.
-- params:  run_id bigint, datasets text[]
-- returns: none
-- locks:   the rows of these datasets
WITH again AS (
    SELECT DISTINCT request_id FROM holdfast.erasure_scope WHERE is_ready
),

after AS (
    DELETE FROM holdfast.request_after
    WHERE
        run_id = :run_id
        AND dataset = any(cast(:datasets AS text []))
        AND request_id IN (SELECT request_id FROM again)
)

DELETE FROM holdfast.request_decision
WHERE
    run_id = :run_id
    AND dataset = any(cast(:datasets AS text []))
    AND request_id IN (SELECT request_id FROM again)
