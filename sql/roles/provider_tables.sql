-- Which tables, partitions and views lie in the provider's schemas?
-- params:  schemas text[]
-- returns: one row for each (schema_name, table_name: with its schema, root_name: the table whose partition it is, or itself)
-- locks:   none
SELECT
    n.nspname AS schema_name,
    n.nspname || '.' || c.relname AS table_name,
    rn.nspname || '.' || r.relname AS root_name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_catalog.pg_class AS r ON coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) = r.oid
INNER JOIN pg_catalog.pg_namespace AS rn ON r.relnamespace = rn.oid
WHERE n.nspname = any(cast(:schemas AS text [])) AND c.relkind IN ('r', 'p', 'v', 'm')
ORDER BY n.nspname, c.relname
