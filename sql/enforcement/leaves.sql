-- Which physical tables make up a table: itself, or its leaf partitions with their range of one column?
-- params:  schema_name text, table_name text
-- returns: one row for each leaf (leaf_schema, leaf_name, parent_schema, parent_name, is_default, key_column, from_bound, to_bound as text or NULL, may_drop: leaf and parent belong to the present role, blocks, rows_estimate, pages_estimate)
-- locks:   none
WITH root AS (
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
    WHERE n.nspname = cast(:schema_name AS text) AND c.relname = cast(:table_name AS text)
)

SELECT
    n.nspname AS leaf_schema,
    c.relname AS leaf_name,
    un.nspname AS parent_schema,
    u.relname AS parent_name,
    coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', FALSE) AS is_default,
    -- The bounds can be read only where the parent is partitioned by the range of a single plain column.
    CASE WHEN pt.partstrat = 'r' AND pt.partnatts = 1 THEN pa.attname END AS key_column,
    substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\) TO') AS from_bound,
    substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)') AS to_bound,
    coalesce(
        pg_catalog.pg_has_role(c.relowner, 'USAGE') AND pg_catalog.pg_has_role(u.relowner, 'USAGE'), FALSE
    ) AS may_drop,
    cast(
        ceil(pg_catalog.pg_relation_size(c.oid) / cast(current_setting('block_size') AS numeric)) AS bigint
    ) AS blocks,
    c.reltuples AS rows_estimate,
    c.relpages AS pages_estimate
FROM root
CROSS JOIN LATERAL (
    SELECT t.relid, t.parentrelid
    FROM pg_catalog.pg_partition_tree(root.oid) AS t
    WHERE t.isleaf
    UNION ALL
    SELECT root.oid, NULL
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(root.oid))
) AS leaf
INNER JOIN pg_catalog.pg_class AS c ON leaf.relid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
LEFT JOIN pg_catalog.pg_class AS u ON leaf.parentrelid = u.oid
LEFT JOIN pg_catalog.pg_namespace AS un ON u.relnamespace = un.oid
LEFT JOIN pg_catalog.pg_partitioned_table AS pt ON leaf.parentrelid = pt.partrelid
LEFT JOIN pg_catalog.pg_attribute AS pa ON pt.partrelid = pa.attrelid AND pt.partattrs[0] = pa.attnum
WHERE c.relkind = 'r'
ORDER BY n.nspname, c.relname
