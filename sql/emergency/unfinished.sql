-- What is not done: files that came, 999 calls without data, and rejected records that were to be corrected by now?
-- params:  since timestamptz
-- returns: one row: refused (since then), waiting and undelivered (whenever they came), calls (reports that are open),
--     overdue (records that stand rejected for longer than they may, as the last reconciliation found)
-- locks:   none
SELECT
    count(*) FILTER (WHERE state = 'refused' AND arrived_at >= :since) AS refused,
    count(*) FILTER (WHERE state IN ('received', 'judged', 'waiting')) AS waiting,
    count(*) FILTER (WHERE state = 'released') AS undelivered,
    (SELECT count(*) FROM emergency.call_without_data WHERE ended_at IS NULL) AS calls,
    (SELECT count(*) FROM emergency.gap WHERE rule_id = 'E506' AND closed_at IS NULL) AS overdue
FROM emergency.extract
