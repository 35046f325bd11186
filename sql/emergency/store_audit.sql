-- By the end of which month must how many addresses be checked again? Those that are overdue are gaps (W503).
-- params:  provider text, verified_days bigint, verified_since date, day date
-- returns: the number of months
-- locks:   the new rows
INSERT INTO emergency.audit_due (provider, due_month, numbers)
SELECT
    :provider,
    cast(date_trunc('month', verified_on + make_interval(days => cast(:verified_days AS integer))) AS date) AS due_month,
    count(*) AS numbers
FROM emergency.inventory
WHERE
    provider = :provider AND is_live AND calls_999 AND NOT erased
    AND verified_on BETWEEN :verified_since AND :day
GROUP BY due_month
