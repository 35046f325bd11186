-- What were suspended customers told? A notice within an hour of each decision, but for one in thirty.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.suspension_notice
INSERT INTO provider.suspension_notice (suspension_notice_id, suspension_id, channel, address, sent_at, body)
SELECT
    suspension.suspension_id, suspension.suspension_id, 'email',
    provider.synthetic_email(suspension.account_id * 10 + 1, :seed),
    suspension.decided_at
    + make_interval(mins => cast(1 + provider.synthetic_draw(suspension.suspension_id, 'told', :seed) % 59 AS integer)),
    'Your account was suspended because of ' || suspension.reason || '. You can ask for a person to review this.'
FROM provider.suspension
LEFT JOIN synthetic_case AS known
    ON known.dataset = 'suspension_notices' AND known.case_no = suspension.suspension_id
WHERE
    known.case_no IS NOT NULL
    OR (
        suspension.suspension_id > 1000
        AND provider.synthetic_draw(suspension.suspension_id, 'not told', :seed) % 30 > 0
    )
