-- Which safeguards are broken, and for how long?
-- params:  today date
-- returns: one row for each break that is open, the oldest first (kind text, pseudonym text, since date, age integer: in days)
-- locks:   none
SELECT kind, pseudonym, since, cast(:today AS date) - since AS age
FROM statistics.safeguard_break
WHERE ended_at IS NULL
ORDER BY since, kind, pseudonym
