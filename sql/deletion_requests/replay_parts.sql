-- Say what requests that were just entered again ask for: the datasets, and the categories, of which something was erased
-- for them. Anything else of theirs was not there, or stayed.
-- params:  none
-- returns: request_id bigint, for each part
-- locks:   the new rows
WITH asked AS (
    SELECT line.reference, line.dataset, cast(NULL AS text) AS category
    FROM replay_line AS line
    WHERE NOT line.by_record AND line.categories IS NULL
    UNION
    SELECT line.reference, NULL, one.category
    FROM replay_line AS line
    CROSS JOIN unnest(line.categories) AS one (category)
    WHERE NOT line.by_record
)

INSERT INTO holdfast.request_part (request_id, part_no, dataset, category)
SELECT
    request.request_id,
    row_number() OVER (PARTITION BY request.request_id ORDER BY asked.dataset, asked.category) AS part_no,
    asked.dataset,
    asked.category
FROM asked
INNER JOIN holdfast.deletion_request AS request ON request.reference = asked.reference
WHERE
    request.replay_until IS NOT NULL
    AND request.state = 'partly_completed'
    AND NOT EXISTS (SELECT FROM holdfast.request_transition AS one WHERE one.request_id = request.request_id)
    AND NOT EXISTS (SELECT FROM holdfast.request_part AS part WHERE part.request_id = request.request_id)
RETURNING request_id
