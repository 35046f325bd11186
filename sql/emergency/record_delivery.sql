-- Record that a release was handed over.
-- params:  extract_id bigint, destination text, at timestamptz
-- returns: nothing
-- locks:   the release's row
UPDATE emergency.release SET delivered_at = :at, destination = :destination
WHERE extract_id = :extract_id AND delivered_at IS NULL
