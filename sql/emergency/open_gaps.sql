-- Open the gaps that are new.
-- params:  at timestamptz
-- returns: the number of gaps opened
-- locks:   the new rows
INSERT INTO emergency.gap (provider, number, rule_id, opened_at)
SELECT found.provider, found.number, found.rule_id, :at
FROM pg_temp.gap_found AS found
ON CONFLICT (provider, number, rule_id) WHERE closed_at IS NULL DO NOTHING
