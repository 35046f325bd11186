-- Where do new rows start to count? Far above all that was made here.
-- params: none
-- returns: a row for each sequence (setval bigint)
-- locks: none
SELECT setval(cast(format('%I.%I', schemaname, sequencename) AS regclass), 1000000000000)
FROM pg_sequences WHERE schemaname = 'provider'
