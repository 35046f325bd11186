-- Since when is this database one of ours?
-- params:  none
-- returns: one row (made_at timestamptz)
-- locks:   none
SELECT min(applied_at) AS made_at FROM holdfast.schema_migration
