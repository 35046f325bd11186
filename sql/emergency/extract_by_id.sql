-- What is known of an extract?
-- params:  extract_id bigint
-- returns: one row (all columns of emergency.extract), or none
-- locks:   none
SELECT
    extract_id, sha256, file_name, layout, provider, sequence, extract_type, business_date, generated_at, arrived_at,
    state, rule_set, records, released, quarantined, warned
FROM emergency.extract
WHERE extract_id = :extract_id
