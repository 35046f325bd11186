-- What did a run erase for whom, to be kept outside the database too?
-- params:  run_id bigint
-- returns: one row for each request and dataset (reference text, channel text, received_at timestamptz, dataset text,
--          pseudonym text, categories text[] or NULL: whole records, by_record boolean: single records alone were asked for,
--          erased_rows bigint, erased_at timestamptz), in order
-- locks:   none
SELECT
    request.reference,
    request.channel,
    request.received_at,
    line.dataset,
    line.subject_pseudonym AS pseudonym,
    line.categories,
    EXISTS (
        SELECT FROM holdfast.request_part AS part WHERE part.request_id = line.request_id AND part.dataset = line.dataset
    ) AND NOT EXISTS (
        SELECT
        FROM holdfast.request_part AS part
        WHERE
            part.request_id = line.request_id
            AND part.record_key IS NULL
            AND (part.dataset = line.dataset OR part.category IS NOT NULL)
    ) AS by_record,
    line.erased_rows,
    line.erased_at
FROM holdfast.erasure AS line
INNER JOIN holdfast.deletion_request AS request ON request.request_id = line.request_id
WHERE line.run_id = :run_id
ORDER BY line.erasure_id
