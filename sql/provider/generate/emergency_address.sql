-- Where is each number installed? Addresses of numbers given up are ceased, and gone a month later. Most were checked with
-- their customer within the last eleven months, one of thirty more than a year ago, one of sixty never.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.emergency_address
INSERT INTO provider.emergency_address (
    emergency_address_id, assignment_id, title, forename, name, premises, thoroughfare, locality, postcode,
    registered_at, verified_at, ceased_at, cease_acknowledged_at
)
WITH rows_to_make AS (
    SELECT
        case_no AS emergency_address_id, 100 + case_no AS assignment_id, starts AS ceased_at,
        cohort NOT IN ('held_EMERGENCY_999_LIVE', 'cease_wanted') AS acknowledged
    FROM synthetic_case WHERE dataset = 'emergency_addresses'
    UNION ALL
    SELECT number_assignment.assignment_id, number_assignment.assignment_id, number_assignment.ended_at, TRUE
    FROM provider.number_assignment CROSS JOIN synthetic_window AS reach
    WHERE
        number_assignment.assignment_id > 200 AND reach.dataset = 'emergency_addresses'
        AND (number_assignment.ended_at IS NULL OR number_assignment.ended_at > reach.oldest)
)

SELECT
    made.emergency_address_id, made.assignment_id,
    CASE account.kind WHEN 'individual' THEN (ARRAY['MX', 'DR'])[1 + made.emergency_address_id % 2] END,
    CASE account.kind WHEN 'individual' THEN upper(provider.synthetic_forename(account.account_id * 10 + 1, :seed)) END,
    CASE account.kind
        WHEN 'individual' THEN upper(provider.synthetic_surname(account.account_id * 10 + 1, :seed))
        ELSE 'INVENTED TRADERS ' || account.account_id
    END,
    cast(1 + provider.synthetic_draw(made.emergency_address_id, 'premises', :seed) % 180 AS text),
    upper(substring(provider.synthetic_street(account.account_id, :seed) FROM '[A-Z].*')),
    upper(provider.synthetic_town(account.account_id, :seed)),
    provider.synthetic_postcode(account.account_id, :seed),
    number_assignment.assigned_at,
    CASE
        WHEN provider.synthetic_draw(made.emergency_address_id, 'never checked', :seed) % 60 > 0
            THEN greatest(
                number_assignment.assigned_at,
                coalesce(made.ceased_at, :as_of) - make_interval(
                    days => CASE WHEN provider.synthetic_draw(made.emergency_address_id, 'overdue check', :seed) % 30 = 0 THEN 370 ELSE 1 END
                    + cast(330 * provider.synthetic_share(made.emergency_address_id, 'checked', :seed) AS integer)
                )
            )
    END,
    made.ceased_at,
    CASE WHEN made.acknowledged THEN least(made.ceased_at, number_assignment.ended_at) END
FROM rows_to_make AS made
INNER JOIN provider.number_assignment ON number_assignment.assignment_id = made.assignment_id
INNER JOIN provider.account ON account.account_id = number_assignment.account_id
