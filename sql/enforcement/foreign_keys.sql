-- Which foreign keys of these schemas' tables point at which tables?
-- params:  schemas text[]
-- returns: one row for each foreign key (child_table, child_columns, parent_table, parent_columns)
-- locks:   none
SELECT
    cn.nspname || '.' || c.relname AS child_table,
    cast(array(
        SELECT a.attname
        FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, position)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
        ORDER BY u.position
    ) AS text []) AS child_columns,
    pn.nspname || '.' || p.relname AS parent_table,
    cast(array(
        SELECT a.attname
        FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, position)
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
        ORDER BY u.position
    ) AS text []) AS parent_columns
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS c ON k.conrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS cn ON c.relnamespace = cn.oid
INNER JOIN pg_catalog.pg_class AS p ON k.confrelid = p.oid
INNER JOIN pg_catalog.pg_namespace AS pn ON p.relnamespace = pn.oid
WHERE
    k.contype = 'f'
    AND k.conparentid = 0
    AND (cn.nspname = any(cast(:schemas AS text [])) OR pn.nspname = any(cast(:schemas AS text [])))
ORDER BY child_table, child_columns
