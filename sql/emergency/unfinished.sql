-- What is not done: files that came, and 999 calls without data?
-- params:  since timestamptz
-- returns: one row: refused (since then), waiting and undelivered (whenever they came), calls (reports that are open)
-- locks:   none
SELECT
    count(*) FILTER (WHERE state = 'refused' AND arrived_at >= :since) AS refused,
    count(*) FILTER (WHERE state IN ('received', 'judged', 'waiting')) AS waiting,
    count(*) FILTER (WHERE state = 'released') AS undelivered,
    (SELECT count(*) FROM emergency.call_without_data WHERE ended_at IS NULL) AS calls
FROM emergency.extract
