-- Let the rejects of a release with a code go out again as they were, where nothing was said of their numbers since.
-- params:  provider text, sequence bigint, code text, at timestamptz
-- returns: the number of rejects
-- locks:   those rejects
UPDATE emergency.reject AS rejected SET again_at = :at
FROM emergency.number_record AS record
WHERE
    rejected.provider = :provider AND rejected.sequence = :sequence AND rejected.code = :code
    AND rejected.ended_at IS NULL AND rejected.again_at IS NULL
    AND record.provider = rejected.provider AND record.number = rejected.number
    AND record.sequence = rejected.sequence AND record.state = 'failed'
