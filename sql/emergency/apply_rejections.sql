-- Let the records fail that a response rejects: those that it names, or all that it does not accept by name.
-- params:  provider text, sequence bigint, whole_file boolean, file_code text, answered_at timestamptz
-- returns: one row: records, and for how many of them (first) no earlier reject of their number was open
-- locks:   the records and the new rejects
WITH failing AS (
    UPDATE emergency.number_record AS record
    SET state = 'failed', answered_at = :answered_at
    WHERE
        record.provider = :provider AND record.sequence = :sequence AND record.answered_at IS NULL
        AND CASE
            WHEN :whole_file
                THEN NOT EXISTS (
                    SELECT FROM pg_temp.answer
                    WHERE answer.line_no = record.line_no AND answer.number = record.number AND answer.is_accepted
                )
            ELSE EXISTS (
                SELECT FROM pg_temp.answer
                WHERE answer.line_no = record.line_no AND answer.number = record.number AND NOT answer.is_accepted
            )
        END
    RETURNING record.number, record.line_no
),

stored AS (
    INSERT INTO emergency.reject (provider, number, sequence, line_no, code, rejected_at)
    SELECT :provider, failing.number, :sequence, failing.line_no, coalesce(answer.code, :file_code), :answered_at
    FROM failing
    LEFT JOIN pg_temp.answer AS answer ON answer.line_no = failing.line_no AND answer.number = failing.number
)

SELECT
    count(*) AS records,
    count(*) FILTER (
        WHERE NOT EXISTS (
            SELECT FROM emergency.reject AS earlier
            WHERE earlier.provider = :provider AND earlier.number = failing.number AND earlier.ended_at IS NULL
        )
    ) AS first
FROM failing
