-- Say what requests that were just entered again ask for: the datasets in which something was erased for them. Anything
-- else of theirs was not there, or stayed.
-- params:  none
-- returns: request_id bigint, for each part
-- locks:   the new rows
INSERT INTO holdfast.request_part (request_id, part_no, dataset)
SELECT
    request.request_id,
    row_number() OVER (PARTITION BY request.request_id ORDER BY asked.dataset) AS part_no,
    asked.dataset
FROM (SELECT DISTINCT line.reference, line.dataset FROM replay_line AS line WHERE NOT line.by_record) AS asked
INNER JOIN holdfast.deletion_request AS request ON request.reference = asked.reference
WHERE
    request.replay_until IS NOT NULL
    AND request.state = 'partly_completed'
    AND NOT EXISTS (SELECT FROM holdfast.request_transition AS one WHERE one.request_id = request.request_id)
    AND NOT EXISTS (SELECT FROM holdfast.request_part AS part WHERE part.request_id = request.request_id)
RETURNING request_id
