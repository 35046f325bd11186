-- When did the tax system last deliver a complete extract? NULL: never.
-- params: none
-- returns: one row (loaded_at timestamptz)
-- locks: none
SELECT (SELECT loaded_at FROM provider.feed WHERE feed_name = 'tax') AS loaded_at
