-- How many lines of a response name no record that was sent in this release and not again since?
-- params:  provider text, sequence bigint
-- returns: one row (unmatched)
-- locks:   none
SELECT count(*) AS unmatched
FROM pg_temp.answer
WHERE
    NOT EXISTS (
        SELECT FROM emergency.number_record AS record
        WHERE
            record.provider = :provider AND record.sequence = :sequence
            AND record.line_no = answer.line_no AND record.number = answer.number
    )
