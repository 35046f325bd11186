-- Forget gaps that were closed long ago: they name numbers.
-- params:  before timestamptz
-- returns: the number of gaps removed
-- locks:   the removed rows
DELETE FROM emergency.gap WHERE closed_at < :before
