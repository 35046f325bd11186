-- Let the records of a release that was not rejected be registered, or unregistered where they ceased, and note how many
-- hours after the change that was.
-- params:  provider text, sequence bigint, whole_file boolean, answered_at timestamptz
-- returns: one row: records, and for how many of them (first) no reject of their number was open
-- locks:   the records and the new rows of acknowledgement
WITH accepted AS (
    UPDATE emergency.number_record AS record
    SET
        state = CASE record.state WHEN 'pending_cease' THEN 'unregistered' ELSE 'registered' END,
        is_held = record.state <> 'pending_cease',
        answered_at = :answered_at
    WHERE
        record.provider = :provider AND record.sequence = :sequence AND record.answered_at IS NULL
        AND (NOT :whole_file OR EXISTS (
            SELECT FROM pg_temp.answer
            WHERE answer.line_no = record.line_no AND answer.number = record.number AND answer.is_accepted
        ))
    RETURNING record.number, record.changed_at
),

timed AS (
    INSERT INTO emergency.acknowledgement (provider, sequence, answered_on, hours, records)
    SELECT
        :provider, :sequence, cast(cast(:answered_at AS timestamptz) AT TIME ZONE 'Europe/London' AS date),
        cast(greatest(ceil(extract(EPOCH FROM cast(:answered_at AS timestamptz) - changed_at) / 3600), 0) AS bigint) AS hours,
        count(*)
    FROM accepted
    WHERE changed_at IS NOT NULL
    GROUP BY hours
    ON CONFLICT (provider, sequence, answered_on, hours) DO UPDATE
    SET records = acknowledgement.records + excluded.records
)

SELECT
    count(*) AS records,
    count(*) FILTER (
        WHERE NOT EXISTS (
            SELECT FROM emergency.reject AS earlier
            WHERE earlier.provider = :provider AND earlier.number = accepted.number AND earlier.ended_at IS NULL
        )
    ) AS first
FROM accepted
