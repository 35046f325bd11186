-- What did a run erase for whom, to be kept outside the database too?
-- params:  run_id bigint, inner_pad bytea, outer_pad bytea, written_alike text[]
-- returns: one row for each request and dataset (reference text, channel text, received_at timestamptz, dataset text,
--          pseudonym text, categories text[] or NULL: whole records, by_record boolean: single records alone were asked for,
--          records text[]: those, by pseudonym of dataset#key; NULL: whole datasets, or the dataset is none of written_alike,
--          whose keys have one spelling, erased_rows bigint, erased_at timestamptz), in order; the pads make pseudonyms
-- locks:   none
WITH line AS (
    SELECT
        erased.*,
        EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE part.request_id = erased.request_id AND part.dataset = erased.dataset
        ) AND NOT EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE
                part.request_id = erased.request_id
                AND part.record_key IS NULL
                AND (part.dataset = erased.dataset OR part.category IS NOT NULL)
        ) AS by_record
    FROM holdfast.erasure AS erased
    WHERE erased.run_id = :run_id
)

SELECT
    request.reference,
    request.channel,
    request.received_at,
    line.dataset,
    line.subject_pseudonym AS pseudonym,
    line.categories,
    line.by_record,
    CASE
        WHEN line.by_record AND line.dataset = any(cast(:written_alike AS text []))
            THEN (
                SELECT
                    array_agg('p1:' || left(encode(sha256(cast(:outer_pad AS bytea) || sha256(
                        cast(:inner_pad AS bytea) || convert_to(part.dataset || '#' || part.record_key, 'UTF8')
                    )), 'hex'), 32) ORDER BY part.part_no)
                FROM holdfast.request_part AS part
                WHERE part.request_id = line.request_id AND part.dataset = line.dataset
            )
    END AS records,
    line.erased_rows,
    line.erased_at
FROM line
INNER JOIN holdfast.deletion_request AS request ON request.request_id = line.request_id
ORDER BY line.erasure_id
