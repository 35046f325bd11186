-- What did the fraud detectors see? A signal on one live account in ten.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.fraud_signal
INSERT INTO provider.fraud_signal (fraud_signal_id, account_id, detected_at, detector, score, detail)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS detected_at FROM synthetic_case WHERE dataset = 'fraud_signals'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'signal not recorded', :seed) % 400 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'signal', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'fraud_signals'
        AND provider.synthetic_draw(account.account_id, 'suspicious', :seed) % 10 = 0
)

SELECT
    n, account_id, detected_at,
    (ARRAY['call_burst', 'sms_pumping', 'cli_spoofing', 'card_testing'])[1 + n % 4],
    0.5 + provider.synthetic_share(n, 'score', :seed) / 2,
    'Pattern seen from ' || host(provider.synthetic_ip(n, :seed))
FROM rows_to_make
