-- How long have recipients not answered?
-- params:  now timestamptz
-- returns: one row for each recipient and kind with an open notice, the oldest first (recipient text, kind text,
--          unsent bigint, unanswered bigint, within_7_days bigint, within_30_days bigint, older bigint,
--          oldest_sent_at timestamptz or NULL)
-- locks:   none
SELECT
    recipient, kind,
    count(*) FILTER (WHERE sent_at IS NULL) AS unsent,
    count(sent_at) AS unanswered,
    count(*) FILTER (WHERE sent_at > cast(:now AS timestamptz) - interval '7 days') AS within_7_days,
    count(*) FILTER (
        WHERE
            sent_at <= cast(:now AS timestamptz) - interval '7 days'
            AND sent_at > cast(:now AS timestamptz) - interval '30 days'
    ) AS within_30_days,
    count(*) FILTER (WHERE sent_at <= cast(:now AS timestamptz) - interval '30 days') AS older,
    min(sent_at) AS oldest_sent_at
FROM holdfast.recipient_notice
WHERE outcome IS NULL
GROUP BY recipient, kind
ORDER BY oldest_sent_at NULLS LAST, recipient, kind
