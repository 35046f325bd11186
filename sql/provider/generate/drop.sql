-- Forget the synthetic provider: its tables and all that is in them.
-- params: none
-- returns: nothing
-- locks: ACCESS EXCLUSIVE on every table of the schema provider
DROP SCHEMA IF EXISTS provider CASCADE
