-- Which accounts were suspended, by what kind of decision? One live account in six, once; a few still are. Of late there
-- are more, one live account in four within four months, so that a month has figures. A few break a safeguard each.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.suspension
INSERT INTO provider.suspension (
    suspension_id, account_id, decided_at, automation, restriction, reason, detection_source, lawful_basis,
    rule_version, ends_at, case_closed_at, detected_by_machine, person_acted, person_changed, signal_family, product,
    has_reasons, uses_special_category, bars_emergency_calls, not_told_because, decided_by, restored_at,
    restored_because, checked_at, check_found_right
)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS case_closed_at FROM synthetic_case WHERE dataset = 'suspensions'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN account.status <> 'suspended'
                THEN reach.until - provider.synthetic_share(account.account_id, 'suspension', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'suspensions'
        AND (
            account.status = 'suspended'
            OR provider.synthetic_draw(account.account_id, 'suspended once', :seed) % 6 = 0
        )
    UNION ALL
    SELECT
        10000000 + account.account_id, account.account_id,
        reach.until - provider.synthetic_share(account.account_id, 'suspended of late', :seed) * interval '120 days'
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status = 'active' AND reach.dataset = 'suspensions'
        AND provider.synthetic_draw(account.account_id, 'of late', :seed) % 4 = 0
),

decided AS (
    SELECT
        made.n, made.account_id, made.case_closed_at,
        least(made.case_closed_at, cast(:as_of AS timestamptz))
        - make_interval(hours => cast(30 + provider.synthetic_draw(made.n, 'case length', :seed) % 300 AS integer))
            AS decided_at,
        (ARRAY['fully', 'fully', 'partially', 'not'])[1 + provider.synthetic_draw(made.n, 'automation', :seed) % 4]
            AS automation,
        -- One number for all that is rare, so that no decision has two oddities.
        CASE WHEN made.n > 1000 THEN provider.synthetic_draw(made.n, 'oddity', :seed) % 1000 ELSE 999 END AS oddity,
        (made.n > 1000 AND provider.synthetic_draw(made.n, 'quality sample', :seed) % 12 = 0) AS is_checked
    FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
    WHERE made.case_closed_at IS NULL OR made.case_closed_at > account.opened_at + interval '20 days'
)

SELECT
    made.n, made.account_id, made.decided_at, made.automation,
    (ARRAY['partial', 'total'])[1 + provider.synthetic_draw(made.n, 'restriction', :seed) % 2],
    (ARRAY['fraud', 'sms_pumping', 'cli_spoofing', 'non_payment', 'identity', 'acceptable_use'])[
        1 + provider.synthetic_draw(made.n, 'reason', :seed) % 6
    ],
    (ARRAY['detector', 'carrier', 'complaint', 'staff'])[1 + provider.synthetic_draw(made.n, 'source', :seed) % 4],
    CASE
        WHEN made.oddity < 4 THEN 'recognised_legitimate_interests'
        WHEN made.oddity < 7 THEN ''
        ELSE (ARRAY['contract', 'legitimate_interests'])[1 + made.n % 2]
    END,
    CASE WHEN made.oddity BETWEEN 7 AND 9 THEN '' ELSE 'rules-' || (1 + made.n % 7) END,
    made.case_closed_at,
    made.case_closed_at,
    provider.synthetic_draw(made.n, 'source', :seed) % 4 = 0,
    made.automation <> 'fully' OR made.oddity BETWEEN 10 AND 29, -- a person let it through: nobody's sole decision
    CASE WHEN made.automation = 'partially' THEN provider.synthetic_draw(made.n, 'changed', :seed) % 5 = 0 END,
    (ARRAY['traffic', 'content', 'identity', 'payment'])[1 + provider.synthetic_draw(made.n, 'signal', :seed) % 4],
    (ARRAY['voice', 'messaging', 'api'])[1 + provider.synthetic_draw(made.n, 'product', :seed) % 3],
    made.oddity NOT BETWEEN 30 AND 32,
    made.oddity BETWEEN 33 AND 34,
    made.oddity BETWEEN 35 AND 36,
    CASE WHEN made.oddity BETWEEN 37 AND 46 THEN 'tipping_off' END,
    CASE
        WHEN made.oddity BETWEEN 67 AND 69 THEN 'reviewer-' || (1 + made.n % 9) -- the one who reviews it, too
        WHEN made.automation <> 'fully' THEN 'officer-' || (1 + made.n % 11)
    END,
    made.case_closed_at,
    CASE WHEN made.case_closed_at IS NULL THEN NULL WHEN made.oddity BETWEEN 47 AND 60 THEN 'own_correction' ELSE 'ended' END,
    CASE WHEN made.is_checked AND made.decided_at + interval '9 days' < :as_of THEN made.decided_at + interval '9 days' END,
    CASE
        WHEN made.is_checked AND made.decided_at + interval '9 days' < :as_of
            THEN provider.synthetic_draw(made.n, 'sample right', :seed) % 10 > 0
    END
FROM decided AS made
