-- Which safeguards are broken, by kind: how many, and which are the oldest?
-- params:  today date, most bigint
-- returns: of each kind at most so many rows, the oldest first (kind text, open bigint: of the kind in all, pseudonym text,
--          since date, age integer: in days)
-- locks:   none
SELECT kind, open, pseudonym, since, cast(:today AS date) - since AS age
FROM (
    SELECT
        kind, pseudonym, since,
        count(*) OVER (PARTITION BY kind) AS open,
        row_number() OVER (PARTITION BY kind ORDER BY since ASC, pseudonym ASC) AS place
    FROM statistics.safeguard_break
    WHERE ended_at IS NULL
) AS broken
WHERE place <= :most
ORDER BY kind ASC, since ASC, pseudonym ASC
