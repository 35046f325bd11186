-- What holds rows in these schemas? A partition belongs to its table and is no table of its own.
-- params:  schemas text[]
-- returns: one row for each table, view, materialised view and foreign table (table_name, kind as in pg_class.relkind,
--          row_security: rows are hidden from the present role, foreign_partitions: how many partitions lie elsewhere)
-- locks:   none
SELECT
    n.nspname || '.' || c.relname AS table_name,
    c.relkind::text AS kind,
    row_security_active(c.oid) AS row_security,
    (
        SELECT count(*)
        FROM pg_catalog.pg_partition_tree(c.oid) AS part
        INNER JOIN pg_catalog.pg_class AS leaf ON part.relid = leaf.oid
        WHERE leaf.relkind = 'f' AND leaf.oid <> c.oid
    ) AS foreign_partitions
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    n.nspname = any(cast(:schemas AS text[]))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
ORDER BY table_name;
