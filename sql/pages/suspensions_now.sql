-- How far have facts about suspensions come, and which safeguards are broken?
-- params:  none
-- returns: one row (last_day date, last_month date, open_breaks bigint, oldest_break date)
-- locks:   none
SELECT
    (SELECT max(day) FROM statistics.day WHERE superseded_at IS NULL) AS last_day,
    (SELECT max(month) FROM statistics.version) AS last_month,
    (SELECT count(*) FROM statistics.safeguard_break WHERE ended_at IS NULL) AS open_breaks,
    (SELECT min(since) FROM statistics.safeguard_break WHERE ended_at IS NULL) AS oldest_break
