-- By which columns is each row of a table told apart? Partial, expression and deferrable indexes do not count: they do
-- not name one row at every moment.
-- params:  schemas text[]
-- returns: one row for each unique index (table_name, index_name, is_primary, column_names in index order)
-- locks:   none
SELECT
    n.nspname || '.' || c.relname AS table_name,
    i.indexrelid::regclass::text AS index_name,
    i.indisprimary AS is_primary,
    array_agg(a.attname::text ORDER BY k.place) AS column_names
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON i.indrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
INNER JOIN pg_catalog.pg_attribute AS a ON i.indrelid = a.attrelid AND k.attnum = a.attnum
WHERE
    n.nspname = any(cast(:schemas AS text[]))
    AND NOT c.relispartition
    AND i.indisunique
    AND i.indisvalid
    AND i.indimmediate
    AND i.indpred IS NULL
    AND i.indexprs IS NULL
    AND k.place <= i.indnkeyatts
GROUP BY table_name, i.indexrelid, i.indisprimary
ORDER BY table_name, index_name;
