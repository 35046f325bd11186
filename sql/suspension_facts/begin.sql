-- What time is it, now that nobody else takes facts or freezes a month until this transaction ends?
-- params:  none
-- returns: one row (at)
-- locks:   the only row of statistics.turn
WITH turn AS MATERIALIZED (SELECT is_only_row FROM statistics.turn FOR UPDATE)

SELECT clock_timestamp() AS at FROM turn
