-- Record how a notice ended, unless that is recorded already or it is acknowledged before it was sent.
-- params:  notice_id bigint, outcome text, now timestamptz
-- returns: at most one row (is_new boolean, was_unsent boolean); none if there is no such notice
-- locks:   the notice's row
WITH given AS MATERIALIZED (
    SELECT notice_id, outcome, sent_at FROM holdfast.recipient_notice WHERE notice_id = :notice_id FOR UPDATE
),

answered AS (
    UPDATE holdfast.recipient_notice AS notice
    SET outcome = :outcome, outcome_at = :now
    FROM given
    WHERE
        notice.notice_id = given.notice_id
        AND given.outcome IS NULL
        AND (given.sent_at IS NOT NULL OR cast(:outcome AS text) <> 'acknowledged')
    RETURNING notice.notice_id
)

SELECT EXISTS (SELECT FROM answered) AS is_new, given.sent_at IS NULL AS was_unsent
FROM given
