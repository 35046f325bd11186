-- What identity checks were made? One when an account opened, and a recent one for most live accounts.
-- Images and document numbers of checks decided long ago are gone, as the nightly run would have left them.
-- params: as_of timestamptz, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.identity_evidence
INSERT INTO provider.identity_evidence (
    evidence_id, account_id, document_kind, document_number, document_image_ref, submitted_at, decided_at, outcome
)
WITH reach AS (SELECT * FROM synthetic_window WHERE dataset = 'identity_evidence'),

rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS decided_at, TRUE AS complete
    FROM synthetic_case WHERE dataset = 'identity_evidence'
    UNION ALL
    SELECT
        account.account_id * 10 + 1, account.account_id, account.opened_at + interval '2 days',
        reach.backlog AND provider.synthetic_draw(account.account_id, 'image left', :seed) % 10 < 3
    FROM provider.account CROSS JOIN reach
    WHERE account.account_id > 1000
    UNION ALL
    SELECT
        account.account_id * 10 + 2, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'undecided', :seed) % 50 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'decided', :seed) * reach.span
        END,
        TRUE
    FROM provider.account CROSS JOIN reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed'
        AND provider.synthetic_draw(account.account_id, 'checked again', :seed) % 10 < 6
)

SELECT
    provider.synthetic_uuid(made.n, 'identity_evidence', :seed),
    made.account_id,
    CASE account.kind
        WHEN 'business' THEN 'company_extract'
        ELSE (ARRAY['passport', 'driving_licence'])[1 + provider.synthetic_draw(made.n, 'document', :seed) % 2]
    END,
    CASE WHEN made.complete THEN 'INVENTED-' || made.n END,
    CASE WHEN made.complete THEN 'vault/identity/' || provider.synthetic_uuid(made.n, 'image', :seed) END,
    least(made.decided_at, cast(:as_of AS timestamptz)) - interval '2 days',
    made.decided_at,
    CASE
        WHEN made.decided_at IS NULL THEN NULL
        WHEN provider.synthetic_draw(made.n, 'refused', :seed) % 40 = 0 THEN 'rejected'
        ELSE 'accepted'
    END
FROM rows_to_make AS made INNER JOIN provider.account ON account.account_id = made.account_id
