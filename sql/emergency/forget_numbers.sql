-- Forget numbers of which the authority was told long ago that they have ceased.
-- params:  before timestamptz
-- returns: the number of numbers removed
-- locks:   the removed rows
DELETE FROM emergency.number_record WHERE state IN ('pending_cease', 'unregistered') AND submitted_at < :before
