-- Let a run report what a person found to have come back since the run before.
-- params:  run_id bigint
-- returns: nothing
-- locks:   those rows
UPDATE holdfast.came_back AS found
SET run_id = :run_id
WHERE
    found.run_id IS NULL
    AND NOT EXISTS (
        SELECT
        FROM holdfast.came_back AS known
        WHERE known.run_id = :run_id AND known.request_id = found.request_id AND known.dataset = found.dataset
    )
