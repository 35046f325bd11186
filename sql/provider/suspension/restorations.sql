-- When did service come back, after decisions made since a moment, of these subjects (NULL: of all)?
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each (record_key text, case_key text, at timestamptz, measured_from timestamptz: of the decision,
--          cause text: ended, review or own_correction)
-- locks:   none
SELECT
    cast(suspension.suspension_id AS text) AS record_key,
    cast(suspension.suspension_id AS text) AS case_key,
    suspension.restored_at AS at,
    suspension.decided_at AS measured_from,
    coalesce(suspension.restored_because, 'not_recorded') AS cause
FROM provider.suspension
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
    AND suspension.restored_at IS NOT NULL
