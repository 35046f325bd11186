-- Let the records of a release that was not rejected be registered, or unregistered where they ceased.
-- params:  provider text, sequence bigint, whole_file boolean, answered_at timestamptz
-- returns: the number of records
-- locks:   the records
UPDATE emergency.number_record AS record
SET
    state = CASE record.state WHEN 'pending_cease' THEN 'unregistered' ELSE 'registered' END,
    answered_at = :answered_at
WHERE
    record.provider = :provider AND record.sequence = :sequence AND record.answered_at IS NULL
    AND (NOT :whole_file OR EXISTS (
        SELECT FROM pg_temp.answer
        WHERE answer.line_no = record.line_no AND answer.number = record.number AND answer.is_accepted
    ))
