-- What has waited for too long, of any sender?
-- E505 999 was called from a number without data, and that is not mended · E506 a reject is not corrected · W507 a record
-- was sent and not answered
-- params:  provider text, alert_before timestamptz, answers_before timestamptz
-- returns: the number of gaps, which are then in pg_temp.gap_found
-- locks:   none
INSERT INTO pg_temp.gap_found (provider, number, rule_id)
SELECT DISTINCT cast(:provider AS text), number, 'E505'
FROM emergency.call_without_data
WHERE ended_at IS NULL AND called_at < :alert_before
UNION ALL
SELECT DISTINCT provider, number, 'E506'
FROM emergency.reject
WHERE ended_at IS NULL AND rejected_at < :alert_before
UNION ALL
SELECT provider, number, 'W507'
FROM emergency.number_record
WHERE answered_at IS NULL AND submitted_at < :answers_before
