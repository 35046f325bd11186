-- Let the records fail that a response rejects: those that it names, or all that it does not accept by name.
-- params:  provider text, sequence bigint, whole_file boolean, file_code text, answered_at timestamptz
-- returns: the number of records
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
)

INSERT INTO emergency.reject (provider, number, sequence, line_no, code, rejected_at)
SELECT :provider, failing.number, :sequence, failing.line_no, coalesce(answer.code, :file_code), :answered_at
FROM failing
LEFT JOIN pg_temp.answer AS answer ON answer.line_no = failing.line_no AND answer.number = failing.number
