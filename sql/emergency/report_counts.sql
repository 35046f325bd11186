-- How do the records stand now?
-- params:  at timestamptz, answer_hours bigint
-- returns: one row: in_quarantine, oldest_quarantined, unanswered_late
-- locks:   none
SELECT
    (SELECT count(*) FROM emergency.quarantine WHERE ended_at IS NULL) AS in_quarantine,
    (SELECT min(quarantined_at) FROM emergency.quarantine WHERE ended_at IS NULL) AS oldest_quarantined,
    count(*) FILTER (
        WHERE answered_at IS NULL AND submitted_at < :at - make_interval(hours => cast(:answer_hours AS integer))
    ) AS unanswered_late
FROM emergency.number_record
