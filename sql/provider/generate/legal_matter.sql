-- Which legal matters are there? One for each hold of the cases, and a few for ordinary accounts.
-- A matter has the number of the account it is about, 16 excepted: that notice is about every account.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.legal_matter
INSERT INTO provider.legal_matter (matter_id, kind, opened_on, ends_on, review_on, closed_on, disclosable)
WITH rows_to_make AS (
    SELECT DISTINCT
        account_id,
        CASE cohort
            WHEN 'held_LITIGATION' THEN 'litigation'
            WHEN 'held_IPA_NOTICE' THEN 'retention_notice'
            WHEN 'held_FRAUD_INVESTIGATION' THEN 'fraud_investigation'
            ELSE 'law_enforcement'
        END AS kind,
        -- Until yesterday, and until today: the last day of a hold still counts.
        CASE cohort WHEN 'hold_ended' THEN -1 WHEN 'held_LE_PRESERVATION' THEN 0 WHEN 'held_IPA_NOTICE' THEN 90 END
            AS days_left
    FROM synthetic_case
    WHERE
        cohort IN (
            'hold_ended', 'held_LITIGATION', 'held_LE_PRESERVATION', 'held_IPA_NOTICE', 'held_FRAUD_INVESTIGATION'
        )
    UNION ALL
    SELECT
        account_id,
        CASE fate WHEN 22 THEN 'litigation' WHEN 23 THEN 'law_enforcement' ELSE 'fraud_investigation' END,
        CASE fate WHEN 22 THEN NULL ELSE 60 END
    FROM (
        SELECT account_id, provider.synthetic_draw(account_id, 'hold', :seed) % 1000 AS fate
        FROM provider.account WHERE account_id > 1000
    ) AS ordinary
    WHERE fate BETWEEN 22 AND 25
)

SELECT
    made.account_id, made.kind, reach.today - 100, reach.today + made.days_left, reach.today + 80, NULL,
    made.kind = 'litigation'
FROM rows_to_make AS made CROSS JOIN synthetic_window AS reach
WHERE reach.dataset = 'contacts'
