-- How much is in quarantine, and for how long?
-- params:  at timestamptz
-- returns: one row: records, up_to_a_day, up_to_a_week, up_to_a_month, older, oldest
-- locks:   none
SELECT
    count(*) AS records,
    count(*) FILTER (WHERE quarantined_at > :at - interval '1 day') AS up_to_a_day,
    count(*) FILTER (
        WHERE quarantined_at <= :at - interval '1 day' AND quarantined_at > :at - interval '7 days'
    ) AS up_to_a_week,
    count(*) FILTER (
        WHERE quarantined_at <= :at - interval '7 days' AND quarantined_at > :at - interval '30 days'
    ) AS up_to_a_month,
    count(*) FILTER (WHERE quarantined_at <= :at - interval '30 days') AS older,
    min(quarantined_at) AS oldest
FROM emergency.quarantine
WHERE ended_at IS NULL
