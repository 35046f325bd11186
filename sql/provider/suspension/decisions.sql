-- Which decisions to suspend an account are known, made since a moment, of these subjects (NULL: of all)?
-- Codes that statistics do not know are listed as unknown, never guessed at.
-- params:  since timestamptz, subject_keys text[]
-- returns: one row for each decision (record_key text, subject_key text, at timestamptz, account_kind text, account_age
--          text, region text, detected_by_machine boolean, automation text, person_acted boolean, person_changed boolean,
--          restriction text, reason text, signal_family text, product text, detection_source text, lawful_basis text,
--          rule_version text, has_reasons boolean, uses_special_category boolean, bars_emergency_calls boolean,
--          not_told_because text, planned_hours integer)
-- locks:   none
SELECT
    cast(suspension.suspension_id AS text) AS record_key,
    cast(suspension.account_id AS text) AS subject_key,
    suspension.decided_at AS at,
    account.kind AS account_kind,
    CASE
        WHEN suspension.decided_at < account.opened_at + interval '30 days' THEN 'under_30_days'
        WHEN suspension.decided_at < account.opened_at + interval '1 year' THEN 'under_a_year'
        ELSE 'older'
    END AS account_age,
    coalesce(lower(regexp_replace(place.post_town, '[^A-Za-z]+', '_', 'g')), 'not_recorded') AS region,
    suspension.detected_by_machine,
    suspension.automation,
    suspension.person_acted,
    suspension.person_changed,
    suspension.restriction,
    suspension.reason,
    suspension.signal_family,
    suspension.product,
    suspension.detection_source,
    nullif(suspension.lawful_basis, '') AS lawful_basis,
    nullif(suspension.rule_version, '') AS rule_version,
    suspension.has_reasons,
    suspension.uses_special_category,
    suspension.bars_emergency_calls,
    suspension.not_told_because,
    cast(extract(EPOCH FROM suspension.ends_at - suspension.decided_at) / 3600 AS integer) AS planned_hours
FROM provider.suspension
INNER JOIN provider.account ON account.account_id = suspension.account_id
LEFT JOIN LATERAL (
    SELECT contact.post_town FROM provider.contact
    WHERE contact.account_id = suspension.account_id
    ORDER BY contact.role = 'owner' DESC, contact.contact_id
    LIMIT 1
) AS place ON TRUE
WHERE
    suspension.decided_at >= :since
    AND (cast(:subject_keys AS text []) IS NULL OR cast(suspension.account_id AS text) = any(:subject_keys))
