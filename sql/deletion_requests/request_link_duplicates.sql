-- Which of these new requests ask for what an open request of the same subject asks for already? Each is linked to the
-- first such. A request without parts is for the whole account; a dataset overlaps a category that it has a column of.
-- params:  requests bigint[], datasets text[], categories text[]
-- returns: one row for each (request_id bigint, duplicate_of bigint)
-- locks:   the rows linked
WITH has_column AS MATERIALIZED (
    SELECT dataset, category
    FROM unnest(cast(:datasets AS text []), cast(:categories AS text [])) AS known (dataset, category)
),

repeated AS MATERIALIZED (
    SELECT arrived.request_id, first_one.request_id AS duplicate_of
    FROM holdfast.deletion_request AS arrived
    CROSS JOIN LATERAL (
        SELECT older.request_id
        FROM holdfast.deletion_request AS older
        WHERE
            older.subject_key = arrived.subject_key
            AND older.request_id < arrived.request_id
            AND older.closed_at IS NULL
            AND (
                NOT EXISTS (SELECT FROM holdfast.request_part AS one WHERE one.request_id = arrived.request_id)
                OR NOT EXISTS (SELECT FROM holdfast.request_part AS two WHERE two.request_id = older.request_id)
                OR EXISTS (
                    SELECT
                    FROM holdfast.request_part AS one
                    INNER JOIN holdfast.request_part AS two ON
                        one.category = two.category
                        OR (
                            one.dataset = two.dataset
                            AND coalesce(one.record_key, two.record_key, '') = coalesce(two.record_key, one.record_key, '')
                        )
                        OR (one.dataset, two.category) IN (SELECT dataset, category FROM has_column)
                        OR (two.dataset, one.category) IN (SELECT dataset, category FROM has_column)
                    WHERE one.request_id = arrived.request_id AND two.request_id = older.request_id
                )
            )
        ORDER BY older.request_id
        LIMIT 1
    ) AS first_one
    WHERE arrived.request_id = any(cast(:requests AS bigint []))
)

UPDATE holdfast.deletion_request AS request
SET duplicate_of = repeated.duplicate_of
FROM repeated
WHERE request.request_id = repeated.request_id
RETURNING request.request_id, request.duplicate_of
