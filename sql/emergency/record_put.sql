-- Note that a released file is at its destination, whole, under a name of its own.
-- params:  extract_id bigint, at timestamptz
-- returns: nothing
-- locks:   the release's row
UPDATE emergency.release SET put_at = :at WHERE extract_id = :extract_id
