-- A person says that a source that has shrunk to this many holds is right. Only what was read last can be accepted.
-- params:  source_id text, holds bigint
-- returns: source_id text; no row where the last read was not this, or not refused for having shrunk
-- locks:   the source's row
UPDATE holdfast.hold_source
SET accept_holds = :holds
WHERE source_id = :source_id AND status = 'shrunk' AND read_holds = :holds
RETURNING source_id
