-- What is wrong with the staged holds? Each column counts the holds with one fault; docs/decisions/0004-holds.md says why
-- each would protect the wrong records. Keys are checked against their types elsewhere.
-- params:  types text[], datasets text[], key_sizes integer[], without_subject text[], deaf text[]
-- returns: one row (holds bigint, and the count of each fault bigint)
-- locks:   none
WITH keyed AS (
    SELECT dataset, size
    FROM unnest(cast(:datasets AS text []), cast(:key_sizes AS integer [])) AS known (dataset, size)
),

repeated AS (
    SELECT coalesce(sum(holds), 0) AS holds
    FROM (SELECT count(*) AS holds FROM pg_temp.hold_staged GROUP BY reference HAVING count(*) > 1) AS many
)

SELECT
    count(*) AS holds,
    (SELECT cast(holds AS bigint) FROM repeated) AS reference_repeated,
    count(*) FILTER (
        WHERE (reference ~ '^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$') IS NOT TRUE
    ) AS reference_malformed,
    count(*) FILTER (WHERE (hold_type = any(cast(:types AS text []))) IS NOT TRUE) AS type_not_of_source,
    count(*) FILTER (WHERE (ground ~ '^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$') IS NOT TRUE) AS ground_malformed,
    count(*) FILTER (WHERE disclosable IS NULL) AS disclosable_missing,
    count(*) FILTER (
        WHERE datasets IS NOT NULL AND (array_ndims(datasets) IS DISTINCT FROM 1 OR NOT datasets <@ cast(:datasets AS text []))
    ) AS dataset_unknown,
    -- Every rule of the dataset leaves the type out: the hold would be there and hold nothing.
    count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM unnest(datasets) AS named (dataset)
            WHERE named.dataset || ' ' || hold_type = any(cast(:deaf AS text []))
        )
    ) AS dataset_not_stopped,
    count(*) FILTER (
        WHERE subject_key IS NOT NULL AND record_key IS NULL AND datasets && cast(:without_subject AS text [])
    ) AS dataset_without_subject,
    count(*) FILTER (WHERE subject_key = '' OR record_key = '') AS key_empty,
    count(*) FILTER (
        WHERE record_key IS NOT NULL AND coalesce(cardinality(datasets), 0) <> 1
    ) AS record_of_no_single_dataset,
    count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM keyed
            WHERE
                datasets = ARRAY[keyed.dataset]
                AND keyed.size > 1
                AND cardinality(string_to_array(record_key, '|')) <> keyed.size
        )
    ) AS record_key_of_other_size,
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
