-- Which columns of a table are stored as they were given, in order?
-- params:  table_name text
-- returns: one row (names text[], types text[]); generated columns are left out, since they follow from the others
-- locks:   none
SELECT
    array_agg(cast(a.attname AS text) ORDER BY a.attnum) AS names,
    array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    n.nspname || '.' || c.relname = cast(:table_name AS text)
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND a.attgenerated = ''
