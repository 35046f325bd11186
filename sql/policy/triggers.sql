-- What acts by itself when a row of these tables is deleted or updated? A trigger can stop the deletion of a row without
-- an error, or change rows that no rule decided; so can a rewrite rule. Those of partitions count for their table;
-- Holdfast's own guards are left out.
-- params:  schemas text[]
-- returns: one row for each enabled trigger or rewrite rule (table_name, trigger_name, kind, on_delete, on_update)
-- locks:   none
SELECT DISTINCT
    n.nspname || '.' || c.relname AS table_name,
    t.tgname::text AS trigger_name,
    'trigger' AS kind,
    t.tgtype & 8 <> 0 AS on_delete,
    t.tgtype & 16 <> 0 AS on_update
FROM pg_catalog.pg_trigger AS t
INNER JOIN pg_catalog.pg_class AS c ON c.oid = coalesce(pg_partition_root(t.tgrelid), t.tgrelid)
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_catalog.pg_proc AS f ON t.tgfoid = f.oid
INNER JOIN pg_catalog.pg_namespace AS fn ON f.pronamespace = fn.oid
WHERE
    n.nspname = any(cast(:schemas AS text[]))
    AND NOT t.tgisinternal
    AND t.tgenabled <> 'D'
    AND t.tgtype & 24 <> 0
    AND fn.nspname <> 'holdfast'
UNION ALL
SELECT DISTINCT
    n.nspname || '.' || c.relname AS table_name,
    r.rulename::text AS trigger_name,
    'rule' AS kind,
    r.ev_type = '4' AS on_delete,
    r.ev_type = '2' AS on_update
FROM pg_catalog.pg_rewrite AS r
INNER JOIN pg_catalog.pg_class AS c ON c.oid = coalesce(pg_partition_root(r.ev_class), r.ev_class)
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE
    n.nspname = any(cast(:schemas AS text[]))
    AND r.ev_type IN ('2', '4')
    AND r.ev_enabled <> 'D'
ORDER BY table_name, trigger_name;
