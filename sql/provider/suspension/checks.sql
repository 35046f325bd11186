-- Which decisions were looked at again in a random sample, and were they right?
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each (record_key text, case_key text, at timestamptz, measured_from timestamptz: of the decision,
--          was_right boolean: NULL where it was not decided)
-- locks:   none
SELECT
    cast(suspension.suspension_id AS text) AS record_key,
    cast(suspension.suspension_id AS text) AS case_key,
    suspension.checked_at AS at,
    suspension.decided_at AS measured_from,
    suspension.check_found_right AS was_right
FROM provider.suspension
WHERE
    (suspension.decided_at >= :since OR suspension.decided_at IS NULL)
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
    AND suspension.checked_at IS NOT NULL
