-- Does the synthetic provider have a customer yet?
-- params: none
-- returns: one row (found boolean)
-- locks: none
SELECT exists(SELECT FROM provider.account) AS found
