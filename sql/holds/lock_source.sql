-- What is known of this hold source? One refresh of a source at a time: a second one waits here and then reads later.
-- params:  source_id text
-- returns: one row (accepted_holds bigint, accept_holds bigint, at timestamptz: the database's clock)
-- locks:   the source's row, until the end of the transaction
INSERT INTO holdfast.hold_source (source_id, status, checked_at)
VALUES (:source_id, 'missing', clock_timestamp())
ON CONFLICT (source_id) DO UPDATE SET source_id = excluded.source_id
RETURNING accepted_holds, accept_holds, clock_timestamp() AS at
