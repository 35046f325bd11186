-- Remember what came of asking a hold source. An acceptance is used up by the next read that is believed.
-- params:  source_id text, status text, loaded_at timestamptz, read_holds bigint
-- returns: nothing
-- locks:   the source's row
UPDATE holdfast.hold_source
SET
    status = :status,
    checked_at = clock_timestamp(),
    loaded_at = cast(:loaded_at AS timestamptz),
    read_holds = cast(:read_holds AS bigint),
    accepted_holds = CASE WHEN :status = 'trusted' THEN cast(:read_holds AS bigint) ELSE accepted_holds END,
    accept_holds = CASE WHEN :status = 'trusted' THEN NULL ELSE accept_holds END
WHERE source_id = :source_id
