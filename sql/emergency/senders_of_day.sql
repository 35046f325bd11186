-- Whose extract of this day was taken in?
-- params:  business_date date
-- returns: provider
-- locks:   none
SELECT DISTINCT provider
FROM emergency.extract
WHERE business_date = :business_date AND state NOT IN ('refused', 'declined')
