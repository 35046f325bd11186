-- Write down what was erased for whom, by pseudonym, to apply it again after a restore.
-- params:  run_id bigint, inner_pad bytea, outer_pad bytea
-- returns: one row for each dataset with new lines (dataset text, requests bigint, erased_rows bigint)
-- locks:   the new rows
WITH parts AS MATERIALIZED (
    -- Once for all: to look the scope up for each decision takes the square of the requests.
    SELECT
        line.request_id,
        line.dataset,
        CASE
            WHEN bool_and(line.categories IS NOT NULL) THEN array_agg(DISTINCT one.category ORDER BY one.category)
        END AS categories
    FROM holdfast.erasure_scope AS line
    LEFT JOIN LATERAL unnest(line.categories) AS one (category) ON TRUE
    WHERE line.dataset IS NOT NULL
    GROUP BY line.request_id, line.dataset
),

written AS (
    INSERT INTO holdfast.erasure (
        request_id, run_id, dataset, subject_pseudonym, erased_rows, erased_at, categories
    )
    SELECT
        d.request_id,
        d.run_id,
        d.dataset,
        'p1:' || left(encode(sha256(cast(:outer_pad AS bytea) || sha256(
            cast(:inner_pad AS bytea) || convert_to(r.subject_key, 'UTF8')
        )), 'hex'), 32) AS subject_pseudonym,
        d.rows_acted,
        clock_timestamp(),
        parts.categories
    FROM holdfast.request_decision AS d
    INNER JOIN holdfast.deletion_request AS r ON d.request_id = r.request_id
    LEFT JOIN parts ON d.request_id = parts.request_id AND d.dataset = parts.dataset
    WHERE d.run_id = :run_id AND d.decision IN ('erase', 'anonymise') AND d.rows_acted > 0
    ON CONFLICT (request_id, run_id, dataset) DO NOTHING
    RETURNING dataset, erased_rows
)

SELECT dataset, count(*) AS requests, cast(sum(erased_rows) AS bigint) AS erased_rows
FROM written
GROUP BY dataset
ORDER BY dataset
