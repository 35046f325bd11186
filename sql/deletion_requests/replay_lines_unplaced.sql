-- For how many requests that the database does not know were single records erased whose keys the files cannot give, since
-- they have more than one spelling?
-- params:  none
-- returns: one row (requests bigint)
-- locks:   none
SELECT count(DISTINCT line.reference) AS requests
FROM replay_line AS line
WHERE
    line.by_record
    AND line.records IS NULL
    AND NOT EXISTS (
        SELECT
        FROM holdfast.request_part AS part
        INNER JOIN holdfast.deletion_request AS request ON request.request_id = part.request_id
        WHERE request.reference = line.reference AND part.dataset = line.dataset
    )
