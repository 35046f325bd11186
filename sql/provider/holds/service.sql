-- What does the service itself still need? Emergency addresses until their cease is acknowledged, and who had a number
-- while it is being ported or in quarantine: each of these holds is on one record. And of an account that has asked a
-- person to look at its suspension again, what that person needs, until the review is decided or withdrawn.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    'service-999-' || emergency_address.emergency_address_id AS reference,
    'EMERGENCY_999_LIVE' AS hold_type,
    cast(number_assignment.account_id AS text) AS subject_key,
    ARRAY['emergency_addresses'] AS datasets,
    cast(emergency_address.emergency_address_id AS text) AS record_key,
    cast(NULL AS date) AS period_from,
    cast(NULL AS date) AS period_to,
    'general-condition-a3' AS ground,
    TRUE AS disclosable,
    cast(NULL AS date) AS ends_on,
    cast(NULL AS date) AS review_on
FROM provider.emergency_address
INNER JOIN provider.number_assignment ON number_assignment.assignment_id = emergency_address.assignment_id
WHERE number_assignment.ended_at IS NULL OR emergency_address.cease_acknowledged_at IS NULL
UNION ALL
SELECT
    'service-port-' || assignment_id, 'NUMBER_PORTING', cast(account_id AS text), ARRAY['number_assignments'],
    cast(assignment_id AS text), NULL, NULL, 'contract', TRUE,
    cast(port_completed_at AT TIME ZONE 'Europe/London' AS date) + 30, NULL
FROM provider.number_assignment
WHERE
    port_ordered_at IS NOT NULL
    AND (
        port_completed_at IS NULL
        OR cast(port_completed_at AT TIME ZONE 'Europe/London' AS date) + 30 >= cast(:as_of AS date)
    )
UNION ALL
SELECT
    'service-quarantine-' || latest.assignment_id, 'NUMBER_QUARANTINE', cast(latest.account_id AS text),
    ARRAY['number_assignments'], cast(latest.assignment_id AS text), NULL, NULL, 'contract', TRUE,
    number.quarantined_until, NULL
FROM provider.number
CROSS JOIN LATERAL (
    SELECT assignment_id, account_id
    FROM provider.number_assignment
    WHERE number_assignment.number_id = number.number_id
    ORDER BY assigned_at DESC, assignment_id DESC
    LIMIT 1
) AS latest
WHERE number.status = 'quarantined' AND number.quarantined_until >= cast(:as_of AS date)
UNION ALL
SELECT
    'service-review-' || suspension.account_id, 'SUSPENSION_REVIEW', cast(suspension.account_id AS text),
    ARRAY['suspensions', 'suspension_notices', 'review_requests', 'review_outcomes', 'fraud_signals', 'contacts'],
    NULL, NULL, NULL, 'uk-gdpr-22c', TRUE, NULL, NULL
FROM provider.suspension
INNER JOIN provider.review_request ON review_request.suspension_id = suspension.suspension_id
LEFT JOIN provider.review_outcome ON review_outcome.review_request_id = review_request.review_request_id
WHERE review_outcome.review_request_id IS NULL AND review_request.withdrawn_at IS NULL
GROUP BY suspension.account_id
