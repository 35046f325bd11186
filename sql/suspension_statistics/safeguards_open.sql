-- Which safeguards are newly broken?
-- params:  now timestamptz
-- returns: kind text, one row for each
-- locks:   the new rows of statistics.safeguard_break
INSERT INTO statistics.safeguard_break (kind, pseudonym, since, found_at)
SELECT kind, pseudonym, since, :now FROM broken_safeguard
ON CONFLICT (kind, pseudonym) WHERE ended_at IS NULL DO NOTHING
RETURNING kind
