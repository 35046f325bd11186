-- Which numbers do we have, and where is each installed? A provider writes its own; the columns are declared below.
-- One row for each number that was ever assigned; changed_at is when what the authority must know of it last changed, and
-- address_verified_at the day on which its address was last checked with the customer. Addresses are of the installation; billing_premises and billing_postcode
-- show when somebody put the billing address in its place. Text is as it goes into an extract; NULL is an empty field.
-- params:  as_of timestamptz
-- returns: number_e164 text, is_live boolean, calls_999 boolean, erased boolean, changed_at timestamptz, party_type text,
--     title text, forename text, name text, bus_suffix text, sub_premises text, premises text, thoroughfare text,
--     locality text, post_town text, postcode text, uprn text, country text, service_type text,
--     location_independent text, address_source text, address_verified_at date, effective_from text, account_ref text,
--     version_no text, billing_premises text, billing_postcode text
-- locks:   none
WITH latest AS (
    SELECT DISTINCT ON (number_id) number_id, assignment_id, account_id, assigned_at, ended_at
    FROM provider.number_assignment
    WHERE assigned_at <= :as_of
    ORDER BY number_id ASC, assigned_at DESC, assignment_id DESC
),

installed AS (
    SELECT DISTINCT ON (assignment_id)
        assignment_id, title, forename, name, premises, thoroughfare, locality, postcode, registered_at, verified_at
    FROM provider.emergency_address
    WHERE ceased_at IS NULL OR ceased_at > :as_of
    ORDER BY assignment_id ASC, registered_at DESC, emergency_address_id DESC
),

billing AS (
    SELECT DISTINCT ON (account_id) account_id, upper(split_part(address_line, ' ', 1)) AS premises, postcode
    FROM provider.contact
    ORDER BY account_id ASC, (role = 'billing') DESC, contact_id ASC
)

SELECT
    number.e164 AS number_e164,
    latest.ended_at IS NULL OR latest.ended_at > :as_of AS is_live,
    -- Mobiles are located by their cell; 08 and 09 cannot call.
    number.e164 !~ '^\+44(7|8|9)' AS calls_999,
    -- Whoever is erased leaves once the number serves no longer: a call from a live number must find its address.
    coalesce(latest.ended_at <= :as_of, FALSE) AND account.status = 'closed' AND billing.account_id IS NULL AS erased,
    greatest(
        latest.assigned_at, installed.registered_at, CASE WHEN latest.ended_at <= :as_of THEN latest.ended_at END
    ) AS changed_at,
    CASE account.kind WHEN 'business' THEN 'B' ELSE 'I' END AS party_type,
    CASE account.kind WHEN 'individual' THEN installed.title END AS title,
    CASE account.kind WHEN 'individual' THEN installed.forename END AS forename,
    installed.name,
    cast(NULL AS text) AS bus_suffix,
    cast(NULL AS text) AS sub_premises,
    installed.premises,
    installed.thoroughfare,
    cast(NULL AS text) AS locality,
    installed.locality AS post_town,
    installed.postcode,
    cast(NULL AS text) AS uprn,
    cast(NULL AS text) AS country,
    'VOIP_FIXED' AS service_type,
    'N' AS location_independent,
    'INSTALL' AS address_source,
    cast(installed.verified_at AT TIME ZONE 'Europe/London' AS date) AS address_verified_at,
    to_char(coalesce(installed.registered_at, latest.assigned_at), 'YYYY-MM-DD') AS effective_from,
    'acc-' || latest.account_id AS account_ref,
    '1' AS version_no,
    billing.premises AS billing_premises,
    billing.postcode AS billing_postcode
FROM provider.number
INNER JOIN latest ON latest.number_id = number.number_id
INNER JOIN provider.account ON account.account_id = latest.account_id
LEFT JOIN installed ON installed.assignment_id = latest.assignment_id
LEFT JOIN billing ON billing.account_id = latest.account_id
