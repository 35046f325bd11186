-- Which tables inherit from the tables of these schemas? Partitions are left out: a partitioned table is one table.
-- params:  schemas text[]
-- returns: one row for each pair (parent_table, child_table)
-- locks:   none
SELECT
    pn.nspname || '.' || p.relname AS parent_table,
    cn.nspname || '.' || c.relname AS child_table
FROM pg_catalog.pg_inherits AS i
INNER JOIN pg_catalog.pg_class AS c ON i.inhrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS cn ON c.relnamespace = cn.oid
INNER JOIN pg_catalog.pg_class AS p ON i.inhparent = p.oid
INNER JOIN pg_catalog.pg_namespace AS pn ON p.relnamespace = pn.oid
WHERE
    pn.nspname = any(cast(:schemas AS text[]))
    AND c.relkind IN ('r', 'f')
    AND p.relkind IN ('r', 'f')
ORDER BY parent_table, child_table;
