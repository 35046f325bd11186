-- What was each source of holds worth when it was last read?
-- params:  none
-- returns: one row for each source, as it is known now
-- locks:   none
SELECT
    source_id,
    status,
    checked_at,
    loaded_at,
    read_holds,
    accepted_holds
FROM holdfast.hold_source
ORDER BY source_id
