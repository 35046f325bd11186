-- Which 999 records of these subjects are of numbers that serve no longer, and how far is their cease? An address must
-- leave the emergency services' data by a cease record before it is erased. A real provider names its own tables here.
-- params:  subject_keys text[]
-- returns: one row for each (subject_key text, dataset text, record_key text, is_ceased boolean: a cease was sent,
--          is_acknowledged boolean: the emergency handling authority has confirmed it)
-- locks:   none
SELECT
    given.key AS subject_key,
    'emergency_addresses' AS dataset,
    cast(emergency_address.emergency_address_id AS text) AS record_key,
    emergency_address.ceased_at IS NOT NULL AS is_ceased,
    emergency_address.cease_acknowledged_at IS NOT NULL AS is_acknowledged
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
INNER JOIN provider.number_assignment
    ON number_assignment.account_id = CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END
INNER JOIN provider.emergency_address ON emergency_address.assignment_id = number_assignment.assignment_id
WHERE number_assignment.ended_at IS NOT NULL
