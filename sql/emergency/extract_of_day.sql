-- Has an extract of this provider and this day been taken in already?
-- params:  provider text, business_date date
-- returns: one row (extract_id) if so, else none
-- locks:   none
SELECT extract_id
FROM emergency.extract
WHERE provider = :provider AND business_date = :business_date AND state NOT IN ('refused', 'declined')
ORDER BY extract_id
LIMIT 1
