-- What will the statistics need of these subjects' suspensions, once their rows are erased? Facts that name nobody: days,
-- kinds and durations. A real provider names its own tables here.
-- params:  subject_keys text[], zone text
-- returns: one row for each suspension (record_key text, decided_on date, account_kind text, automation text,
--          restriction text, is_temporary boolean, reason text, detection_source text, lawful_basis text,
--          rule_version text, hours_in_force integer, minutes_to_notice integer, reviews jsonb: an array of objects
--          {kind, is_withdrawn, minutes_to_request, outcome, minutes_to_outcome})
-- locks:   none
SELECT
    cast(suspension.suspension_id AS text) AS record_key,
    cast(timezone(cast(:zone AS text), suspension.decided_at) AS date) AS decided_on,
    account.kind AS account_kind,
    suspension.automation,
    suspension.restriction,
    suspension.ends_at IS NOT NULL AS is_temporary,
    suspension.reason,
    suspension.detection_source,
    suspension.lawful_basis,
    suspension.rule_version,
    cast(extract(EPOCH FROM suspension.ends_at - suspension.decided_at) / 3600 AS integer) AS hours_in_force,
    cast(
        extract(EPOCH FROM (
            SELECT min(notice.sent_at) FROM provider.suspension_notice AS notice
            WHERE notice.suspension_id = suspension.suspension_id
        ) - suspension.decided_at) / 60 AS integer
    ) AS minutes_to_notice,
    coalesce(review.all_of_them, '[]') AS reviews
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
INNER JOIN provider.suspension
    ON suspension.account_id = CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END
INNER JOIN provider.account ON account.account_id = suspension.account_id
LEFT JOIN LATERAL (
    SELECT
        jsonb_agg(
            jsonb_build_object(
                'kind', request.kind,
                'is_withdrawn', request.withdrawn_at IS NOT NULL,
                'minutes_to_request',
                cast(extract(EPOCH FROM request.requested_at - suspension.decided_at) / 60 AS integer),
                'outcome', outcome.outcome,
                'minutes_to_outcome',
                cast(extract(EPOCH FROM outcome.decided_at - request.requested_at) / 60 AS integer)
            )
            ORDER BY request.requested_at
        ) AS all_of_them
    FROM provider.review_request AS request
    LEFT JOIN provider.review_outcome AS outcome ON outcome.review_request_id = request.review_request_id
    WHERE request.suspension_id = suspension.suspension_id
) AS review ON TRUE
