-- Store a list of reference data.
-- params:  list_name text, keys text[], list_values text[]
-- returns: the number of entries stored
-- locks:   the new rows
INSERT INTO emergency.reference (list_name, key, value)
SELECT DISTINCT :list_name, entry.key, entry.value
FROM unnest(cast(:keys AS text []), cast(:list_values AS text [])) AS entry (key, value)
