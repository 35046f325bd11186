-- What did regulators ask to be kept? The API requests of one day, and two datasets of one account.
-- params: none
-- returns: the number of rows made
-- locks: the new rows of provider.regulator_notice
INSERT INTO provider.regulator_notice (
    notice_id, regulator, received_on, review_on, account_id, datasets, period_from, period_to
)
WITH known AS (
    SELECT
        case_no, account_id, min(cast(starts AT TIME ZONE 'Europe/London' AS date)) AS day,
        array_agg(dataset ORDER BY dataset) AS datasets
    FROM synthetic_case WHERE case_no IN (17, 18) GROUP BY case_no, account_id
)

SELECT
    known.case_no,
    CASE known.case_no WHEN 17 THEN 'ofcom' ELSE 'ico' END,
    reach.today - 30, reach.today + 60,
    CASE known.case_no WHEN 18 THEN known.account_id END,
    known.datasets,
    CASE known.case_no WHEN 17 THEN known.day END,
    CASE known.case_no WHEN 17 THEN known.day + 1 END
FROM known INNER JOIN synthetic_window AS reach ON reach.dataset = 'contacts'
