-- End the rejects whose number has an accepted record since.
-- params:  provider text, at timestamptz
-- returns: the number of rejects ended
-- locks:   the ended rows
UPDATE emergency.reject AS rejected SET ended_at = :at
FROM emergency.number_record AS record
WHERE
    rejected.provider = :provider AND rejected.ended_at IS NULL
    AND record.provider = rejected.provider AND record.number = rejected.number
    AND record.state IN ('registered', 'unregistered') AND record.sequence > rejected.sequence
