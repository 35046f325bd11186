-- How long were requests of the month's decisions under way: until they were decided, or for as long as they were watched?
-- One that is open was watched for whole days; one withdrawn or omitted, until then.
-- params:  watched_until date
-- returns: one row for each duration and kind (minutes integer, is_decided boolean, requests bigint)
-- locks:   none
SELECT
    coalesce(ended_minutes, greatest(0, (cast(:watched_until AS date) - day - 1) * 1440)) AS minutes,
    coalesce(is_decided, FALSE) AS is_decided,
    count(*) AS requests
FROM month_request
WHERE fault IS NULL AND of_month
GROUP BY 1, 2
ORDER BY 1, 2
