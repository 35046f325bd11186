-- What must be kept for legal reasons? Preservation for counsel, authorities and fraud cases, regulators' notices, and
-- complaints that can still go to dispute resolution. Notices and preservation for authorities are not disclosable.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    'legal-order-' || preservation_order.order_id AS reference,
    CASE legal_matter.kind
        WHEN 'litigation' THEN 'LITIGATION'
        WHEN 'law_enforcement' THEN 'LE_PRESERVATION'
        WHEN 'retention_notice' THEN 'IPA_NOTICE'
        WHEN 'fraud_investigation' THEN 'FRAUD_INVESTIGATION'
    END AS hold_type,
    cast(preservation_order.account_id AS text) AS subject_key,
    preservation_order.datasets,
    cast(NULL AS text) AS record_key,
    preservation_order.period_from,
    preservation_order.period_to,
    CASE legal_matter.kind
        WHEN 'law_enforcement' THEN 'uk-gdpr-17-3-b'
        WHEN 'retention_notice' THEN 'ipa-2016-s87'
        ELSE 'uk-gdpr-17-3-e'
    END AS ground,
    legal_matter.disclosable,
    legal_matter.ends_on,
    legal_matter.review_on
FROM provider.preservation_order
INNER JOIN provider.legal_matter ON legal_matter.matter_id = preservation_order.matter_id
WHERE
    legal_matter.opened_on <= cast(:as_of AS date)
    AND (legal_matter.closed_on IS NULL OR legal_matter.closed_on > cast(:as_of AS date))
    AND (legal_matter.ends_on IS NULL OR legal_matter.ends_on >= cast(:as_of AS date))
UNION ALL
SELECT
    'legal-regulator-' || notice_id, 'REGULATOR', cast(account_id AS text), datasets, NULL,
    period_from, period_to, 'uk-gdpr-17-3-b', TRUE, NULL, review_on
FROM provider.regulator_notice
WHERE received_on <= cast(:as_of AS date) AND (closed_on IS NULL OR closed_on > cast(:as_of AS date))
UNION ALL
SELECT
    'legal-complaint-' || complaint_id, 'COMPLAINT_ADR', cast(account_id AS text),
    ARRAY['complaints', 'call_detail_records', 'call_recordings', 'support_tickets'], NULL,
    NULL, NULL, 'uk-gdpr-17-3-e', TRUE, CASE WHEN closed_at IS NOT NULL THEN adr_window_ends_on END, NULL
FROM provider.complaint
WHERE
    (
        closed_at IS NULL
        OR closed_at AT TIME ZONE 'Europe/London' >= cast(:as_of AS date)
        OR adr_window_ends_on >= cast(:as_of AS date)
    )
    AND (adr_closed_on IS NULL OR adr_closed_on > cast(:as_of AS date))
