-- What stands in quarantine under this number, and why?
-- params:  extract_id bigint, record_no bigint
-- returns: one row (file_name, layout, rule_ids, fields, ended_at, ended_how), or none
-- locks:   none
SELECT
    extract.file_name, extract.layout, quarantine.rule_ids, quarantine.fields, quarantine.ended_at, quarantine.ended_how
FROM emergency.quarantine
INNER JOIN emergency.extract ON extract.extract_id = quarantine.extract_id
WHERE quarantine.extract_id = :extract_id AND quarantine.record_no = :record_no
