-- Is the schema of the synthetic provider there?
-- params: none
-- returns: one row (found boolean)
-- locks: none
SELECT to_regclass('provider.account') IS NOT NULL AS found
