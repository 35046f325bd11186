-- Forget reports of calls that ended long ago: they name numbers.
-- params:  before timestamptz
-- returns: the number of reports removed
-- locks:   the removed rows
DELETE FROM emergency.call_without_data WHERE ended_at < :before
