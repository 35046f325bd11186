-- Of what type are these columns? Without length or precision, so that a cast to the type cuts nothing off.
-- params:  tables text[], columns text[]
-- returns: one row for each column that exists (table_name text, column_name text, type_name text)
-- locks:   none
SELECT wanted.table_name, wanted.column_name, format_type(a.atttypid, -1) AS type_name
FROM unnest(cast(:tables AS text []), cast(:columns AS text [])) AS wanted (table_name, column_name)
INNER JOIN pg_catalog.pg_namespace AS n ON split_part(wanted.table_name, '.', 1) = n.nspname
INNER JOIN pg_catalog.pg_class AS c ON n.oid = c.relnamespace AND split_part(wanted.table_name, '.', 2) = c.relname
INNER JOIN pg_catalog.pg_attribute AS a ON c.oid = a.attrelid AND wanted.column_name = a.attname
WHERE a.attnum > 0 AND NOT a.attisdropped
