-- Which migrations made the schema, and which server runs it?
-- params:  none
-- returns: one row for each migration (name, sha256, server)
-- locks:   none
SELECT
    name,
    sha256,
    current_setting('server_version') AS server
FROM holdfast.schema_migration
ORDER BY name
