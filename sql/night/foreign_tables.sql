-- How many tables does the database hold that are not Holdfast's own? None: it is empty and may take synthetic data.
-- params:  none
-- returns: one row (tables)
-- locks:   none
SELECT count(*) AS tables
FROM pg_catalog.pg_class AS relation
INNER JOIN pg_catalog.pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE
    relation.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND namespace.nspname NOT IN ('holdfast', 'emergency', 'statistics', 'information_schema')
    AND namespace.nspname NOT LIKE 'pg\_%'
