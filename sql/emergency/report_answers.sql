-- How did the authority answer lately, and how long did a change take to be acknowledged?
-- params:  since date
-- returns: one row: accepted_first, rejected_first (records sent for the first time, or after their reject was mended),
--     mean_hours, late_hours (within which 95 of 100 were acknowledged); NULL where there was nothing
-- locks:   none
WITH taken AS (
    SELECT hours, sum(records) AS records
    FROM emergency.acknowledgement
    WHERE answered_on >= :since
    GROUP BY hours
),

running AS (
    SELECT hours, sum(records) OVER (ORDER BY hours) AS until_then, sum(records) OVER () AS total
    FROM taken
)

SELECT
    cast(sum(accepted_first) AS bigint) AS accepted_first,
    cast(sum(rejected_first) AS bigint) AS rejected_first,
    (SELECT cast(sum(hours * records) / sum(records) AS double precision) FROM taken) AS mean_hours,
    (SELECT min(hours) FROM running WHERE until_then >= 0.95 * total) AS late_hours
FROM emergency.response
WHERE cast(answered_at AT TIME ZONE 'Europe/London' AS date) >= :since
