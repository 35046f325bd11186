-- What do auditors need kept? The scopes of every engagement that is approved and not released.
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    'audit-' || scope.engagement_id || '-' || scope.scope_no AS reference,
    'AUDIT' AS hold_type,
    cast(scope.account_id AS text) AS subject_key,
    scope.datasets,
    cast(NULL AS text) AS record_key,
    scope.period_from,
    scope.period_to,
    'uk-gdpr-6-1-f' AS ground,
    TRUE AS disclosable,
    engagement.approved_until AS ends_on,
    engagement.approved_until AS review_on
FROM provider.audit_scope AS scope
INNER JOIN provider.audit_engagement AS engagement ON engagement.engagement_id = scope.engagement_id
WHERE
    engagement.opened_on <= cast(:as_of AS date)
    AND engagement.approved_until >= cast(:as_of AS date)
    AND (engagement.released_on IS NULL OR engagement.released_on > cast(:as_of AS date))
