-- Which month's facts can no longer be led back?
-- params:  month date, now timestamptz
-- returns: nothing
-- locks:   the new row of statistics.unlinked
INSERT INTO statistics.unlinked (month, unlinked_at) VALUES (:month, :now)
