-- How do decisions stand to others on the same account, as known from now on?
-- params:  now timestamptz
-- returns: the number of decisions
-- locks:   the new rows of statistics.chain
INSERT INTO statistics.chain (number, known_at, is_first_in_month, days_since_previous, days_since_overturned)
SELECT number, :now, is_first_in_month, days_since_previous, days_since_overturned FROM staged_chain
