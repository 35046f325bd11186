-- Which of the schemas that the data map lists are there?
-- params:  schemas text[]
-- returns: one row for each that exists (schema_name)
-- locks:   none
SELECT nspname::text AS schema_name
FROM pg_catalog.pg_namespace
WHERE nspname = any(cast(:schemas AS text[]));
