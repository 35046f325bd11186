-- Forget records in quarantine that a better or a later one replaced long ago.
-- params:  before timestamptz
-- returns: the number of records removed
-- locks:   the removed rows
DELETE FROM emergency.quarantine WHERE ended_at < :before
