-- Did a run erase rows of somebody while a hold was active that covered every row of theirs in that dataset?
--
-- Told from the registers, which do not say which rows were erased: so only a hold without record and period proves it,
-- and of a request that names records only a hold on everybody. The hold, as it stands now, must have been there before
-- the first batch of the dataset: the plan saw it, or it was placed before and not changed since. Anything less might
-- have let the rows go lawfully.
-- params:  run_id bigint, datasets text[], types text[], nameable text[], other text, examples integer
-- returns: one row for each type of hold that may be named, and one for all others (about text, found bigint: pairs of
--          request and dataset, requests bigint[], holds bigint[]); datasets and types pair what can hold what
-- locks:   none
WITH worked AS MATERIALIZED (
    SELECT
        cast(entry.entry AS jsonb) -> 'facts' ->> 'dataset' AS dataset,
        min(entry.at) AS first_at
    FROM holdfast.ledger_entry AS entry
    WHERE entry.run_id = :run_id AND entry.kind IN ('batch_deleted', 'batch_anonymised', 'partition_dropped')
    GROUP BY cast(entry.entry AS jsonb) -> 'facts' ->> 'dataset'
),

holds AS MATERIALIZED (
    SELECT DISTINCT
        hold.hold_id, hold.subject_key, held.dataset,
        CASE
            WHEN hold.disclosable AND hold.hold_type = any(cast(:nameable AS text [])) THEN hold.hold_type
            ELSE cast(:other AS text)
        END AS about
    FROM holdfast.run
    CROSS JOIN worked
    INNER JOIN unnest(cast(:datasets AS text []), cast(:types AS text [])) AS held (dataset, hold_type)
        ON worked.dataset = held.dataset
    INNER JOIN holdfast.hold
        ON
            hold.hold_type = held.hold_type
            AND (hold.datasets IS NULL OR held.dataset = any(hold.datasets))
    WHERE
        run.run_id = :run_id
        AND hold.record_key IS NULL
        AND hold.period_from IS NULL
        AND hold.period_to IS NULL
        AND (hold.ends_on IS NULL OR hold.ends_on >= run.as_of_date)
        AND hold.released_at IS NULL
        AND (
            pg_visible_in_snapshot(hold.changed_xid, cast(run.plan_snapshot AS pg_snapshot))
            OR (hold.changed_xid = hold.placed_xid AND hold.placed_at < worked.first_at)
        )
),

-- Two joins, each of which can be hashed.
erased AS MATERIALIZED (
    SELECT erasure.request_id, erasure.dataset, request.subject_key
    FROM holdfast.erasure
    INNER JOIN holdfast.deletion_request AS request ON erasure.request_id = request.request_id
    WHERE erasure.run_id = :run_id AND erasure.erased_rows > 0
),

found AS (
    SELECT holds.about, holds.hold_id, erased.request_id, erased.dataset
    FROM erased
    INNER JOIN holds ON erased.dataset = holds.dataset AND erased.subject_key = holds.subject_key
    WHERE
        NOT EXISTS (
            SELECT
            FROM holdfast.request_part AS part
            WHERE part.request_id = erased.request_id AND part.record_key IS NOT NULL
        )
    UNION ALL
    SELECT holds.about, holds.hold_id, erased.request_id, erased.dataset
    FROM erased
    INNER JOIN holds ON erased.dataset = holds.dataset AND holds.subject_key IS NULL
)

SELECT
    about,
    count(DISTINCT concat(request_id, ' ', dataset)) AS found,
    (array_agg(DISTINCT request_id))[1:cast(:examples AS integer)] AS requests,
    (array_agg(DISTINCT hold_id))[1:cast(:examples AS integer)] AS holds
FROM found
GROUP BY about
ORDER BY about
