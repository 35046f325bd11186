-- How many records do extracts of this kind usually have?
-- params:  provider text, extract_type text, since date, before date
-- returns: one row (median): of the released extracts of the days since, before the day given; NULL if there were none
-- locks:   none
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY records) AS median
FROM emergency.extract
WHERE
    provider = :provider AND extract_type = :extract_type AND business_date >= :since AND business_date < :before
    AND state IN ('released', 'delivered')
