-- Put what further databases decided into the matrix of a run. What one was asked and has not decided and counted is
-- unknown, which completes no request and is told to nobody.
-- params:  run_id bigint, datasets text[]
-- returns: one row (decided bigint, unknown bigint); datasets are those of further databases that can be asked for
-- locks:   the new rows
WITH
-- They may know a request under another number, and do not know it under another reference.
staged AS (
    SELECT request.request_id AS number, matrix.*
    FROM pg_temp.matrix_elsewhere AS matrix
    INNER JOIN holdfast.deletion_request AS request ON matrix.reference = request.reference
),

asked AS (
    SELECT DISTINCT scope.request_id, one.dataset
    FROM holdfast.erasure_scope AS scope
    INNER JOIN unnest(cast(:datasets AS text [])) AS one (dataset)
        ON scope.dataset IS NULL OR scope.dataset = one.dataset
    WHERE scope.is_ready
    UNION
    -- Of a request that this run has completed, nobody asks any more: what was taken in before stays.
    SELECT request_id, dataset
    FROM holdfast.request_decision
    WHERE run_id = :run_id AND dataset = any(cast(:datasets AS text []))
),

missing AS (
    SELECT asked.request_id, asked.dataset
    FROM asked
    LEFT JOIN staged ON asked.request_id = staged.number AND asked.dataset = staged.dataset
    GROUP BY asked.request_id, asked.dataset
    HAVING count(staged.is_after) < 2
),

known AS (
    SELECT staged.*
    FROM staged
    INNER JOIN asked ON staged.number = asked.request_id AND staged.dataset = asked.dataset
    WHERE
        NOT EXISTS (
            SELECT
            FROM missing
            WHERE missing.request_id = staged.number AND missing.dataset = staged.dataset
        )
),

planned AS (
    INSERT INTO holdfast.request_decision (
        run_id, request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until,
        review_on, disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
    )
    SELECT
        :run_id, number, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until,
        review_on, disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
    FROM known
    WHERE NOT is_after
    ON CONFLICT (run_id, request_id, dataset) DO NOTHING
),

after AS (
    INSERT INTO holdfast.request_after (
        run_id, request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until,
        review_on, disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
    )
    SELECT
        :run_id, number, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until,
        review_on, disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
    FROM known
    WHERE is_after
    ON CONFLICT (run_id, request_id, dataset) DO NOTHING
),

unknown_planned AS (
    INSERT INTO holdfast.request_decision (
        run_id, request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, told_reasons
    )
    SELECT :run_id, request_id, dataset, 'unknown', 'source', 0, 0, 0, 0, ARRAY['source']
    FROM missing
    ON CONFLICT (run_id, request_id, dataset) DO NOTHING
),

unknown_after AS (
    INSERT INTO holdfast.request_after (
        run_id, request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, told_reasons
    )
    SELECT :run_id, request_id, dataset, 'unknown', 'source', 0, 0, 0, 0, ARRAY['source']
    FROM missing
    ON CONFLICT (run_id, request_id, dataset) DO NOTHING
)

SELECT
    (SELECT count(*) FROM known WHERE is_after) AS decided,
    (SELECT count(*) FROM missing) AS unknown
