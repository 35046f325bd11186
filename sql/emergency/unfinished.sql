-- What of the files that came is not done?
-- params:  since timestamptz
-- returns: one row: refused (since then), waiting and undelivered (whenever they came)
-- locks:   none
SELECT
    count(*) FILTER (WHERE state = 'refused' AND arrived_at >= :since) AS refused,
    count(*) FILTER (WHERE state IN ('received', 'judged', 'waiting')) AS waiting,
    count(*) FILTER (WHERE state = 'released') AS undelivered
FROM emergency.extract
