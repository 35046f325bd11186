-- What keeps the rest of requests that may be carried out, by the last count of a run, and until when?
--
-- A hold whose type may not be named counts for `other`, whichever it is; and where one is among the keepers, no end
-- and no review is told, because they might be its own.
-- params:  run_id bigint, nameable text[], other text, zone text
-- returns: one row for each dataset and keeper, and with dataset NULL one for each keeper (dataset text, keeper text: a
--          type of hold, a rule, other, or what else the matrix gives as a reason; requests bigint, alone bigint: those
--          that nothing else keeps anything of, decisions bigint, rows_exempt bigint, oldest_received_on date,
--          ends_told bigint: decisions whose end may be told, ends_open bigint: of those the ones without an end,
--          until date, review_on date: the first)
-- locks:   none
WITH counted AS (
    SELECT * FROM holdfast.request_after WHERE run_id = :run_id
    UNION ALL
    SELECT *
    FROM holdfast.request_decision
    WHERE run_id = :run_id AND NOT EXISTS (SELECT FROM holdfast.request_after AS after WHERE after.run_id = :run_id)
),

staying AS (
    SELECT
        request_id, dataset, rows_exempt, held_until, review_on, disclosable,
        coalesce(told_reasons, CASE WHEN decision IN ('held', 'exempt') THEN ARRAY[reason] ELSE '{}' END) AS told,
        CASE WHEN decision IN ('waiting', 'unknown') THEN reason END AS undecided
    FROM counted
    WHERE
        NOT (decision = 'waiting' AND reason IN ('identity', 'cool_off', 'approval'))
        AND (decision IN ('held', 'exempt', 'waiting', 'unknown') OR rows_held + rows_exempt > 0)
),

labelled AS (
    SELECT
        staying.*,
        ARRAY(
            SELECT
                CASE
                    WHEN one.reason !~ '^[A-Z]' OR one.reason = any(cast(:nameable AS text [])) THEN one.reason
                    ELSE cast(:other AS text)
                END
            FROM unnest(staying.told) AS one (reason)
            UNION
            SELECT cast(:other AS text)
            WHERE NOT staying.disclosable
            UNION
            SELECT staying.undecided
            WHERE staying.undecided IS NOT NULL
        ) AS keepers
    FROM staying
),

kept AS (
    SELECT
        labelled.request_id, labelled.dataset, labelled.rows_exempt, labelled.held_until, labelled.review_on,
        one.keeper,
        cast(:other AS text) <> all(labelled.keepers) AS may_tell_end
    FROM labelled
    CROSS JOIN LATERAL unnest(labelled.keepers) AS one (keeper)
),

keepers_of AS (
    SELECT request_id, min(keeper) = max(keeper) AS is_only_one FROM kept GROUP BY request_id
)

SELECT
    kept.dataset,
    kept.keeper,
    count(DISTINCT kept.request_id) AS requests,
    count(DISTINCT kept.request_id) FILTER (WHERE keepers_of.is_only_one) AS alone,
    count(*) AS decisions,
    cast(sum(kept.rows_exempt) AS bigint) AS rows_exempt,
    cast(timezone(cast(:zone AS text), min(request.received_at)) AS date) AS oldest_received_on,
    count(*) FILTER (WHERE kept.may_tell_end) AS ends_told,
    count(*) FILTER (WHERE kept.may_tell_end AND kept.held_until IS NULL) AS ends_open,
    max(kept.held_until) FILTER (WHERE kept.may_tell_end) AS until,
    min(kept.review_on) FILTER (WHERE kept.may_tell_end) AS review_on
FROM kept
INNER JOIN keepers_of ON kept.request_id = keepers_of.request_id
INNER JOIN holdfast.deletion_request AS request ON kept.request_id = request.request_id
GROUP BY GROUPING SETS ((kept.keeper), (kept.dataset, kept.keeper))
ORDER BY kept.dataset ASC NULLS FIRST, requests DESC, kept.keeper ASC
