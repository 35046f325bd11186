-- What is wrong with the staged holds? Each column counts the holds with one fault; docs/decisions/0004-holds.md says why
-- each would protect the wrong records. Keys are checked against their types elsewhere.
-- params:  types text[], datasets text[], key_sizes integer[], without_subject text[], deaf text[]
-- returns: one row (holds bigint, and the count of each fault bigint)
-- locks:   none
WITH scope AS ( -- few, however many holds there are
    SELECT
        hold_type, datasets, subject_key IS NOT NULL AS has_subject, record_key IS NOT NULL AS has_record,
        count(*) AS holds
    FROM pg_temp.hold_staged
    GROUP BY hold_type, datasets, has_subject, has_record
),

scopes AS (
    SELECT
        sum(holds) FILTER (WHERE (hold_type = any(cast(:types AS text []))) IS NOT TRUE) AS type_not_of_source,
        sum(holds) FILTER (
            WHERE
                datasets IS NOT NULL
                AND (array_ndims(datasets) IS DISTINCT FROM 1 OR NOT datasets <@ cast(:datasets AS text []))
        ) AS dataset_unknown,
        -- Every rule of the dataset leaves the type out: the hold would be there and hold nothing.
        sum(holds) FILTER (
            WHERE EXISTS (
                SELECT FROM unnest(datasets) AS named (dataset)
                WHERE named.dataset || ' ' || hold_type = any(cast(:deaf AS text []))
            )
        ) AS dataset_not_stopped,
        sum(holds) FILTER (
            WHERE has_subject AND NOT has_record AND datasets && cast(:without_subject AS text [])
        ) AS dataset_without_subject,
        sum(holds) FILTER (
            WHERE has_record AND coalesce(cardinality(datasets), 0) <> 1
        ) AS record_of_no_single_dataset
    FROM scope
),

record AS (
    SELECT count(*) AS of_other_size
    FROM pg_temp.hold_staged AS staged
    INNER JOIN unnest(cast(:datasets AS text []), cast(:key_sizes AS integer [])) AS known (dataset, size)
        ON staged.datasets = ARRAY[known.dataset]
    WHERE known.size > 1 AND cardinality(string_to_array(staged.record_key, '|')) <> known.size
),

reference AS (
    SELECT sum(holds) AS repeated
    FROM (SELECT count(*) AS holds FROM pg_temp.hold_staged GROUP BY reference HAVING count(*) > 1) AS many
)

SELECT
    count(*) AS holds,
    cast((SELECT repeated FROM reference) AS bigint) AS reference_repeated,
    -- A bound within the pattern, {0,127}, would take twenty times as long.
    count(*) FILTER (
        WHERE (reference ~ '^[A-Za-z][A-Za-z0-9_.:/-]*$' AND length(reference) <= 128) IS NOT TRUE
    ) AS reference_malformed,
    cast((SELECT type_not_of_source FROM scopes) AS bigint) AS type_not_of_source,
    count(*) FILTER (
        WHERE (ground ~ '^[A-Za-z][A-Za-z0-9_.:/-]*$' AND length(ground) <= 128) IS NOT TRUE
    ) AS ground_malformed,
    count(*) FILTER (WHERE disclosable IS NULL) AS disclosable_missing,
    cast((SELECT dataset_unknown FROM scopes) AS bigint) AS dataset_unknown,
    cast((SELECT dataset_not_stopped FROM scopes) AS bigint) AS dataset_not_stopped,
    cast((SELECT dataset_without_subject FROM scopes) AS bigint) AS dataset_without_subject,
    count(*) FILTER (WHERE subject_key = '' OR record_key = '') AS key_empty,
    cast((SELECT record_of_no_single_dataset FROM scopes) AS bigint) AS record_of_no_single_dataset,
    (SELECT of_other_size FROM record) AS record_key_of_other_size,
    count(*) FILTER (WHERE period_from >= period_to) AS period_backwards,
    -- Endless days and those before our era have no calendar day to compare with.
    count(*) FILTER (
        WHERE
            period_from NOT BETWEEN '0001-01-01' AND '9999-12-31'
            OR period_to NOT BETWEEN '0001-01-01' AND '9999-12-31'
            OR ends_on NOT BETWEEN '0001-01-01' AND '9999-12-31'
            OR review_on NOT BETWEEN '0001-01-01' AND '9999-12-31'
    ) AS day_out_of_range
FROM pg_temp.hold_staged
