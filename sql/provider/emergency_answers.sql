-- Note in the provider's own table what our 999 job told the authority of addresses whose number serves no longer, and
-- that it agreed: by a cease, or by a record of whoever has the number now. A provider that sends its 999 data by other
-- means, and notes it by itself, lets this change nothing.
-- params:  none
-- returns: record_key text of each that is now known to be sent or acknowledged
-- locks:   those rows
UPDATE provider.emergency_address AS installed
SET
    ceased_at = coalesce(installed.ceased_at, told.submitted_at),
    cease_acknowledged_at = CASE WHEN told.state IN ('unregistered', 'registered') THEN told.answered_at END
FROM provider.number_assignment AS ended
INNER JOIN provider.number ON number.number_id = ended.number_id
INNER JOIN emergency.number_record AS told ON told.number = number.e164
WHERE
    installed.assignment_id = ended.assignment_id
    AND installed.cease_acknowledged_at IS NULL
    AND told.submitted_at >= ended.ended_at
    AND (
        (told.state = 'pending_cease' AND installed.ceased_at IS NULL)
        OR told.state = 'unregistered'
        OR (
            told.state = 'registered'
            AND EXISTS (
                SELECT
                FROM provider.number_assignment AS next
                WHERE
                    next.number_id = ended.number_id
                    AND next.assigned_at >= ended.ended_at
                    AND next.assigned_at <= told.submitted_at
            )
        )
    )
RETURNING cast(installed.emergency_address_id AS text) AS record_key
