-- Of which datasets do the staged holds name single records?
-- params:  none
-- returns: dataset text
-- locks:   none
SELECT DISTINCT datasets[1] AS dataset
FROM pg_temp.hold_staged
WHERE record_key IS NOT NULL
ORDER BY dataset
