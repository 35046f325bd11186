-- Which columns have the tables, views and foreign tables of these schemas, and of what type?
-- params:  schemas text[]
-- returns: one row for each column (table_name, column_name, type_name as PostgreSQL writes it, base_type: the type
--          below any domain, category as in pg_type.typcategory, not_null also by way of a domain, is_generated,
--          max_length of character types, NULL = no limit)
-- locks:   none
WITH RECURSIVE base AS (
    SELECT
        t.oid AS declared_oid, t.oid AS type_oid, t.typtype, t.typbasetype, t.typtypmod AS modifier,
        t.typnotnull AS is_not_null
    FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT
        base.declared_oid, t.oid AS type_oid, t.typtype, t.typbasetype,
        coalesce(nullif(base.modifier, -1), t.typtypmod) AS modifier, base.is_not_null OR t.typnotnull AS is_not_null
    FROM base
    INNER JOIN pg_catalog.pg_type AS t ON base.typbasetype = t.oid
    WHERE base.typtype = 'd'
)

SELECT
    n.nspname || '.' || c.relname AS table_name,
    a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS type_name,
    t.typname::text AS base_type,
    t.typcategory::text AS category,
    a.attnotnull OR base.is_not_null AS not_null,
    a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
    CASE
        WHEN t.typname IN ('varchar', 'bpchar') AND greatest(a.atttypmod, base.modifier) > 4
            THEN greatest(a.atttypmod, base.modifier) - 4
    END AS max_length
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN base ON a.atttypid = base.declared_oid AND base.typtype <> 'd'
INNER JOIN pg_catalog.pg_type AS t ON base.type_oid = t.oid
WHERE
    n.nspname = any(cast(:schemas AS text[]))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
    AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY table_name, a.attnum;
