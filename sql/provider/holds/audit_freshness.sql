-- When did the audit system last deliver a complete extract? NULL: never.
-- params: none
-- returns: one row (loaded_at timestamptz)
-- locks: none
SELECT (SELECT loaded_at FROM provider.feed WHERE feed_name = 'audit') AS loaded_at
