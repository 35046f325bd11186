-- To whom do letters about these subjects go? The owner of the account, or else whoever came first. A real provider names
-- its own records here.
-- params:  subject_keys text[]
-- returns: one row for each subject that has an addressee (subject_key text, full_name text, address_lines text[],
--          email text or NULL)
-- locks:   none
SELECT DISTINCT ON (contact.account_id)
    given.key AS subject_key,
    contact.full_name,
    ARRAY[contact.address_line, contact.post_town, contact.postcode] AS address_lines,
    contact.email
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
INNER JOIN provider.contact
    ON contact.account_id = CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END
ORDER BY contact.account_id ASC, contact.role = 'owner' DESC, contact.contact_id ASC
