-- Have this register say of requests what the main one does: those that are staged are carried out, no other is.
-- params:  none
-- returns: one row (taken bigint, closed bigint)
-- locks:   the requests' rows
WITH taken AS (
    INSERT INTO holdfast.deletion_request AS known (
        request_id, reference, channel, subject_key, state, received_at, replay_until
    ) OVERRIDING SYSTEM VALUE
    SELECT DISTINCT request_id, reference, channel, subject_key, state, received_at, replay_until
    FROM pg_temp.request_elsewhere
    ON CONFLICT (request_id) DO UPDATE
        SET state = excluded.state, replay_until = excluded.replay_until, closed_at = NULL
    RETURNING known.request_id
),

parts AS (
    INSERT INTO holdfast.request_part (request_id, part_no, dataset, category, record_key)
    SELECT request_id, part_no, dataset, category, record_key
    FROM pg_temp.request_elsewhere
    WHERE part_no IS NOT NULL
    ON CONFLICT (request_id, part_no) DO NOTHING
),

closed AS (
    UPDATE holdfast.deletion_request AS known
    SET state = 'completed', closed_at = clock_timestamp()
    WHERE
        known.closed_at IS NULL
        AND NOT EXISTS (SELECT FROM pg_temp.request_elsewhere AS open WHERE open.request_id = known.request_id)
    RETURNING known.request_id
)

SELECT
    (SELECT count(*) FROM taken) AS taken,
    (SELECT count(*) FROM closed) AS closed
