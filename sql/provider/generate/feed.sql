-- When did each source system deliver its last complete extract?
-- params: at timestamptz
-- returns: the number of rows made or changed
-- locks: the rows of provider.feed
INSERT INTO provider.feed (feed_name, loaded_at)
SELECT feed_name, cast(:at AS timestamptz)
FROM unnest(ARRAY['billing', 'tax', 'audit', 'legal', 'service']) AS feed_name
ON CONFLICT (feed_name) DO UPDATE SET loaded_at = excluded.loaded_at
