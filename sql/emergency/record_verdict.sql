-- Record how the records of an extract fared; Great Expectations has to look anew.
-- params:  extract_id bigint, rule_set text, records bigint, released bigint, quarantined bigint, warned bigint
-- returns: nothing
-- locks:   the extract's row
UPDATE emergency.extract
SET
    rule_set = :rule_set, records = :records, released = :released, quarantined = :quarantined, warned = :warned,
    state = 'judged', validated_at = NULL
WHERE extract_id = :extract_id AND state IN ('received', 'judged')
