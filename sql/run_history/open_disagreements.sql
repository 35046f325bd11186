-- Which disagreements are open, and who is behind them?
-- params:  none
-- returns: rows (disagreement_id, kind, job, night, subject, told, by, user_name, found_at, explained_at, explained_by,
--          reason), oldest first
-- locks:   none
SELECT
    disagreement.disagreement_id,
    disagreement.kind,
    disagreement.job,
    disagreement.night,
    disagreement.subject,
    disagreement.told,
    disagreement.by,
    airflow_user.user_name,
    disagreement.found_at,
    disagreement.explained_at,
    disagreement.explained_by,
    disagreement.reason
FROM holdfast.disagreement
LEFT JOIN holdfast.airflow_user ON airflow_user.pseudonym = disagreement.by
WHERE disagreement.ended_at IS NULL
ORDER BY disagreement.disagreement_id
