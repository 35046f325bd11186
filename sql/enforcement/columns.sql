-- Which columns do the tables of these schemas have, in order, with which type?
-- params:  schemas text[]
-- returns: one row for each column (table_name qualified, column_name, type_name, is_nullable)
-- locks:   none
SELECT
    n.nspname || '.' || c.relname AS table_name,
    a.attname AS column_name,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
    NOT a.attnotnull AS is_nullable
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    n.nspname = any(cast(:schemas AS text []))
    AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY table_name, a.attnum
