-- What is known of each hold source?
-- params:  none
-- returns: one row for each (source_id, status, checked_at, loaded_at, read_holds, accepted_holds, accept_holds)
-- locks:   none
SELECT source_id, status, checked_at, loaded_at, read_holds, accepted_holds, accept_holds
FROM holdfast.hold_source
ORDER BY source_id
