-- Which months do call records need? From 20 months ago to next month.
-- params: as_of timestamptz
-- returns: a row for each partition (name text)
-- locks: ACCESS EXCLUSIVE on provider.call_detail_record
SELECT provider.make_call_partition(cast(month AS date)) AS name
FROM generate_series(
    date_trunc('month', cast(:as_of AS timestamptz) AT TIME ZONE 'UTC' - interval '20 months'),
    cast(:as_of AS timestamptz) AT TIME ZONE 'UTC' + interval '1 month',
    interval '1 month'
) AS month
