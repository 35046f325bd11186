-- When had every day of the month arrived for the first time?
-- params:  first_day date, next_month date
-- returns: one row (at timestamptz: NULL while a day is missing)
-- locks:   none
SELECT CASE WHEN count(*) = cast(:next_month AS date) - cast(:first_day AS date) THEN max(arrived.at) END AS at
FROM (
    SELECT min(day.known_at) AS at FROM statistics.day
    WHERE day.day >= :first_day AND day.day < :next_month
    GROUP BY day.day
) AS arrived
