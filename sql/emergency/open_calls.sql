-- How do the reports of calls without data stand that are not ended, and what is each waiting for?
-- params:  alert_before timestamptz
-- returns: waits_for, calls, too_long, oldest
-- locks:   none
SELECT waits_for, count(*) AS calls, count(*) FILTER (WHERE called_at < :alert_before) AS too_long, min(called_at) AS oldest
FROM (
    SELECT
        reported.called_at,
        CASE
            WHEN record.number IS NULL AND inventory.number IS NULL THEN 'a person: the number is not in the inventory'
            WHEN record.number IS NULL THEN 'a record'
            WHEN record.state = 'failed' THEN 'a corrected record, since it was rejected'
            WHEN record.submitted_at > reported.called_at THEN 'an answer of the authority'
            ELSE 'the record to be sent again'
        END AS waits_for
    FROM emergency.call_without_data AS reported
    LEFT JOIN emergency.inventory ON inventory.number = reported.number
    LEFT JOIN
        LATERAL (
            SELECT number_record.number, number_record.state, number_record.submitted_at
            FROM emergency.number_record
            WHERE number_record.number = reported.number AND number_record.state <> 'unregistered'
            ORDER BY number_record.submitted_at DESC
            LIMIT 1
        ) AS record ON TRUE
    WHERE reported.ended_at IS NULL
) AS standing
GROUP BY waits_for
ORDER BY min(called_at)
