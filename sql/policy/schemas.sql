-- Which schemas are there, and what do they hold? PostgreSQL's own and those of other sessions' temporary tables are not
-- anybody's data.
-- params:  none
-- returns: one row for each schema (schema_name, relations: tables, views and foreign tables in it)
-- locks:   none
SELECT
    n.nspname::text AS schema_name,
    count(c.oid) FILTER (WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition) AS relations
FROM pg_catalog.pg_namespace AS n
LEFT JOIN pg_catalog.pg_class AS c ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
GROUP BY n.nspname
ORDER BY n.nspname;
