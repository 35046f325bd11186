-- Record why a file was refused.
-- params:  extract_id bigint, rule_id text, reason text, line bigint, column_name text
-- returns: nothing
-- locks:   the new row
INSERT INTO emergency.file_finding (extract_id, rule_id, reason, line, column_name)
VALUES (:extract_id, :rule_id, :reason, :line, :column_name)
