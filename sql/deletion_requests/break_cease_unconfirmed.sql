-- Which 999 records were to be ceased before a moment, and nobody confirmed it?
-- params:  before timestamptz, examples integer
-- returns: one row for each dataset (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    dataset AS about,
    count(*) AS found,
    (array_agg(DISTINCT request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.emergency_cease
WHERE done_at IS NULL AND wanted_at < cast(:before AS timestamptz)
GROUP BY dataset
ORDER BY dataset
