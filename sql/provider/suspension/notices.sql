-- What were suspended customers told, of decisions made since a moment, of these subjects (NULL: of all)?
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each notice (record_key text, case_key text, at timestamptz, measured_from timestamptz: of the
--          decision, offers_review boolean)
-- locks:   none
SELECT
    cast(notice.suspension_notice_id AS text) AS record_key,
    cast(notice.suspension_id AS text) AS case_key,
    notice.sent_at AS at,
    suspension.decided_at AS measured_from,
    notice.offers_review
FROM provider.suspension_notice AS notice
LEFT JOIN provider.suspension ON suspension.suspension_id = notice.suspension_id
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
