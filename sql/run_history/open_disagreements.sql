-- Which disagreements are open, and which pseudonym is behind them?
-- params:  none
-- returns: rows (disagreement_id, kind, job, night, subject, told, by, found_at, explained_at, explained_by, reason),
--          oldest first
-- locks:   none
SELECT
    disagreement_id,
    kind,
    job,
    night,
    subject,
    told,
    by,
    found_at,
    explained_at,
    explained_by,
    reason
FROM holdfast.disagreement
WHERE ended_at IS NULL
ORDER BY disagreement_id
