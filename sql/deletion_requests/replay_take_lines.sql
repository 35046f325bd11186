-- Write the lines into the register of erasures whose request is there, asks for it, and is about the same subject.
-- params:  inner_pad bytea, outer_pad bytea
-- returns: one row for each new line (dataset text)
-- locks:   the new rows
INSERT INTO holdfast.erasure (request_id, run_id, dataset, subject_pseudonym, erased_rows, erased_at, categories)
SELECT request.request_id, NULL, line.dataset, line.pseudonym, line.erased_rows, line.erased_at, line.categories
FROM replay_line AS line
INNER JOIN holdfast.deletion_request AS request ON request.reference = line.reference
WHERE
    line.pseudonym = 'p1:' || left(encode(sha256(cast(:outer_pad AS bytea) || sha256(
        cast(:inner_pad AS bytea) || convert_to(request.subject_key, 'UTF8')
    )), 'hex'), 32)
    AND (
        NOT line.by_record
        OR EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE part.request_id = request.request_id AND part.dataset = line.dataset AND part.record_key IS NOT NULL
        )
    )
RETURNING dataset
