-- End the reports of calls whose number has an accepted record that was sent since, or is not live any more.
-- params:  at timestamptz
-- returns: the number of reports ended
-- locks:   the ended rows
UPDATE emergency.call_without_data AS reported
SET
    ended_at = :at,
    ended_how = CASE
        WHEN EXISTS (
            SELECT FROM emergency.inventory WHERE inventory.number = reported.number AND (erased OR NOT is_live)
        ) THEN 'not_live'
        ELSE 'registered'
    END
WHERE
    reported.ended_at IS NULL
    AND (
        EXISTS (SELECT FROM emergency.inventory WHERE inventory.number = reported.number AND (erased OR NOT is_live))
        OR EXISTS (
            SELECT FROM emergency.number_record AS record
            WHERE
                record.number = reported.number AND record.state = 'registered'
                AND record.submitted_at > reported.called_at
        )
    )
