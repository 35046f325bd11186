-- Which known standings are no longer right?
-- params:  now timestamptz
-- returns: the number of decisions
-- locks:   those rows of statistics.chain
UPDATE statistics.chain SET superseded_at = :now
FROM staged_chain
WHERE chain.number = staged_chain.number AND chain.superseded_at IS NULL
