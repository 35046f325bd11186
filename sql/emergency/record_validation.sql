-- Note that Great Expectations found of an extract what the pass had found.
-- params:  extract_id bigint, at timestamptz
-- returns: nothing
-- locks:   the extract
UPDATE emergency.extract SET validated_at = :at WHERE extract_id = :extract_id
