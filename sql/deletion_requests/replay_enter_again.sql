-- Enter the requests again that only the files know, and of whose subjects something is there. Letters of them had been written
-- before.
-- params:  zone text
-- returns: request_id bigint
-- locks:   the new rows
WITH last AS (
    SELECT reference, max(erased_at) AS erased_at
    FROM replay_line
    GROUP BY reference
)

INSERT INTO holdfast.deletion_request (
    reference, channel, subject_key, received_at, state, replay_until, letters_ended
)
SELECT DISTINCT
    line.reference,
    line.channel,
    subject.subject_key,
    line.received_at,
    'partly_completed',
    cast(timezone(cast(:zone AS text), last.erased_at) AS date),
    'told_before_restore'
FROM replay_line AS line
INNER JOIN replay_subject AS subject ON line.dataset = subject.dataset AND line.pseudonym = subject.pseudonym
INNER JOIN last ON line.reference = last.reference
WHERE
    (
        NOT line.by_record
        OR EXISTS (
            SELECT
            FROM replay_record AS record
            WHERE
                record.reference = line.reference
                AND record.dataset = line.dataset
                AND record.subject_key = subject.subject_key
        )
    )
    AND NOT EXISTS (SELECT FROM holdfast.deletion_request AS known WHERE known.reference = line.reference)
ON CONFLICT DO NOTHING
RETURNING request_id
