-- Which foreign keys point at the tables of these schemas, or start from them, and what do they do to the rows that
-- refer when the row referred to goes?
-- params:  schemas text[]
-- returns: one row for each foreign key, those of partitions left out (constraint_name, child_table, child_columns,
--          parent_table, on_delete as in pg_constraint.confdeltype: a r no action, c cascade, n set null, d set default)
-- locks:   none
SELECT
    f.conname::text AS constraint_name,
    cn.nspname || '.' || c.relname AS child_table,
    array(
        SELECT a.attname::text
        FROM unnest(f.conkey) WITH ORDINALITY AS k (attnum, place)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND k.attnum = a.attnum
        ORDER BY k.place
    ) AS child_columns,
    pn.nspname || '.' || p.relname AS parent_table,
    f.confdeltype::text AS on_delete
FROM pg_catalog.pg_constraint AS f
INNER JOIN pg_catalog.pg_class AS c ON f.conrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS cn ON c.relnamespace = cn.oid
INNER JOIN pg_catalog.pg_class AS p ON f.confrelid = p.oid
INNER JOIN pg_catalog.pg_namespace AS pn ON p.relnamespace = pn.oid
WHERE
    f.contype = 'f'
    AND f.conparentid = 0
    AND (cn.nspname = any(cast(:schemas AS text[])) OR pn.nspname = any(cast(:schemas AS text[])))
ORDER BY child_table, constraint_name;
