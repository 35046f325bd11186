-- Which recipients have not confirmed notices that were queued before a moment?
-- params:  before timestamptz, examples integer
-- returns: one row for each recipient (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    recipient AS about,
    count(*) AS found,
    (array_agg(DISTINCT request_id))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.recipient_notice
WHERE outcome IS NULL AND queued_at < cast(:before AS timestamptz)
GROUP BY recipient
ORDER BY recipient
