-- Which complaints about decisions were made or taken further? A complaint of DPA 2018 s.164A, ADR, the ICO, a court.
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each (record_key text, case_key text, at timestamptz, measured_from timestamptz: of the decision,
--          NULL where there is none, kind text: complaint, adr, ico or court)
-- locks:   none
SELECT
    step.kind || '|' || complaint.complaint_id AS record_key,
    cast(complaint.suspension_id AS text) AS case_key,
    step.at,
    suspension.decided_at AS measured_from,
    step.kind
FROM provider.complaint
LEFT JOIN provider.suspension ON suspension.suspension_id = complaint.suspension_id
CROSS JOIN LATERAL (
    VALUES ('complaint', complaint.received_at), (complaint.escalated_to, complaint.escalated_at)
) AS step (kind, at)
WHERE
    complaint.suspension_id IS NOT NULL AND step.kind IS NOT NULL AND step.at IS NOT NULL
    AND coalesce(suspension.decided_at, step.at) >= :since
    AND (cast(:subject_keys AS text []) IS NULL OR cast(complaint.account_id AS text) = any(:subject_keys))
