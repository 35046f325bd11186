-- What were suspended customers told? A notice within an hour of each decision, but for one in thirty. A few do not say
-- that a person can look at it, and a few were sent before there was anything to tell.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.suspension_notice
INSERT INTO provider.suspension_notice (suspension_notice_id, suspension_id, channel, address, sent_at, body, offers_review)
SELECT
    suspension.suspension_id, suspension.suspension_id, 'email',
    provider.synthetic_email(suspension.account_id * 10 + 1, :seed),
    suspension.decided_at
    + CASE
        WHEN odd.n BETWEEN 70 AND 71 THEN interval '-1 hour'
        ELSE make_interval(
            mins => cast(1 + provider.synthetic_draw(suspension.suspension_id, 'told', :seed) % 59 AS integer)
        )
    END,
    'Your account was suspended because of ' || suspension.reason || '. You can ask for a person to review this.',
    odd.n NOT BETWEEN 72 AND 74
FROM provider.suspension
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN suspension.suspension_id > 1000
                THEN provider.synthetic_draw(suspension.suspension_id, 'oddity', :seed) % 1000
            ELSE 999
        END AS n
) AS odd
LEFT JOIN synthetic_case AS known
    ON known.dataset = 'suspension_notices' AND known.case_no = suspension.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        suspension.suspension_id > 1000 AND suspension.not_told_because IS NULL
        AND provider.synthetic_draw(suspension.suspension_id, 'not told', :seed) % 30 > 0
    )
