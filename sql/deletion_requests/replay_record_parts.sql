-- Say which single records the requests that were entered again ask for: those that are there.
-- params:  none
-- returns: request_id bigint, for each new part
-- locks:   the new rows
INSERT INTO holdfast.request_part (request_id, part_no, dataset, record_key)
SELECT
    request.request_id,
    coalesce((SELECT max(known.part_no) FROM holdfast.request_part AS known WHERE known.request_id = request.request_id), 0)
    + row_number() OVER (PARTITION BY request.request_id ORDER BY found.dataset, found.record_key),
    found.dataset,
    found.record_key
FROM replay_record AS found
INNER JOIN holdfast.deletion_request AS request
    ON request.reference = found.reference AND request.subject_key = found.subject_key
WHERE
    request.letters_ended = 'told_before_restore'
    AND NOT EXISTS (
        SELECT
        FROM holdfast.request_part AS part
        WHERE
            part.request_id = request.request_id AND part.dataset = found.dataset AND part.record_key = found.record_key
    )
RETURNING request_id
