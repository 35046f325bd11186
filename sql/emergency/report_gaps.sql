-- How many gaps are open, and how old are they?
-- params:  at timestamptz
-- returns: rule_id, gaps, up_to_a_day, up_to_a_week, up_to_a_month, older, oldest
-- locks:   none
SELECT
    rule_id,
    count(*) AS gaps,
    count(*) FILTER (WHERE opened_at > :at - interval '1 day') AS up_to_a_day,
    count(*) FILTER (WHERE opened_at <= :at - interval '1 day' AND opened_at > :at - interval '7 days') AS up_to_a_week,
    count(*) FILTER (WHERE opened_at <= :at - interval '7 days' AND opened_at > :at - interval '30 days') AS up_to_a_month,
    count(*) FILTER (WHERE opened_at <= :at - interval '30 days') AS older,
    min(opened_at) AS oldest
FROM emergency.gap
WHERE closed_at IS NULL
GROUP BY rule_id
ORDER BY rule_id
