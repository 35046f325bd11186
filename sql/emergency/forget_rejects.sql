-- Forget rejects that ended long ago: they name numbers.
-- params:  before timestamptz
-- returns: the number of rejects removed
-- locks:   the removed rows
DELETE FROM emergency.reject WHERE ended_at < :before
