-- Has Great Expectations looked at an extract, since it was last judged?
-- params:  extract_id bigint
-- returns: one row (validated)
-- locks:   none
SELECT validated_at IS NOT NULL AS validated FROM emergency.extract WHERE extract_id = :extract_id
