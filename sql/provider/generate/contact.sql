-- Who are the people of an account? An owner for each, and a technical contact for businesses.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.contact
INSERT INTO provider.contact (
    contact_id, account_id, role, full_name, email, phone, address_line, post_town, postcode, created_at
)
WITH rows_to_make AS (
    SELECT case_no AS contact_id, account_id, 'owner' AS role FROM synthetic_case WHERE dataset = 'contacts'
    UNION ALL
    SELECT account.account_id * 10 + n, account.account_id, CASE n WHEN 1 THEN 'owner' ELSE 'technical' END
    FROM provider.account CROSS JOIN generate_series(1, 2) AS n
    WHERE account.account_id > 1000 AND (n = 1 OR account.kind = 'business')
)

SELECT
    made.contact_id, made.account_id, made.role,
    provider.synthetic_forename(made.contact_id, :seed) || ' ' || provider.synthetic_surname(made.contact_id, :seed),
    provider.synthetic_email(made.contact_id, :seed),
    provider.synthetic_number(provider.synthetic_draw(made.contact_id, 'own phone', :seed) % 20000),
    provider.synthetic_street(made.account_id, :seed),
    provider.synthetic_town(made.account_id, :seed),
    provider.synthetic_postcode(made.account_id, :seed),
    account.opened_at
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
