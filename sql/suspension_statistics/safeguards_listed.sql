-- Which safeguards are broken, and for how long?
-- params:  today date, zone text
-- returns: one row for each break that is open, the oldest first (kind text, pseudonym text, since date,
--          age integer: in days, found_on date)
-- locks:   none
SELECT
    kind, pseudonym, since, cast(:today AS date) - since AS age,
    cast(timezone(cast(:zone AS text), found_at) AS date) AS found_on
FROM statistics.safeguard_break
WHERE ended_at IS NULL
ORDER BY since, kind, pseudonym
