-- What does every open request ask for, and may it be carried out? Of the states given, or of all.
-- params:  as_of date, states text[], datasets integer, whole_of text[], wholes text[], cut_of text[], cuts text[], elsewhere text[]
-- returns: none; datasets is how many have a subject and a rule. A request for a category asks for the whole records of the
--          datasets paired with it in the first two lists, and for some columns of those in the next two; what is elsewhere is
--          another database's to decide
-- locks:   the new rows
WITH
open_request AS (
    SELECT
        r.request_id,
        r.subject_key,
        r.replay_until AS until,
        r.state IN ('executing', 'partly_completed') OR (r.state = 'approved' AND a.request_id IS NOT NULL) AS is_ready,
        CASE
            WHEN r.state = 'approved' AND a.request_id IS NULL THEN 'address'
            WHEN r.state IN ('received', 'identity_pending') THEN 'identity'
            WHEN r.state = 'verified' AND r.withdraw_until >= cast(:as_of AS date) THEN 'cool_off'
            WHEN r.state IN ('verified', 'assessed') THEN 'approval'
        END AS waits_for
    FROM holdfast.deletion_request AS r
    LEFT JOIN holdfast.request_addressee AS a ON r.request_id = a.request_id
    WHERE
        r.closed_at IS NULL
        AND r.state NOT IN ('completed', 'refused', 'withdrawn')
        AND (cast(:states AS text []) IS NULL OR r.state = any(:states))
),

asked AS (
    SELECT p.request_id, p.dataset, p.record_key, cast(NULL AS text []) AS categories
    FROM holdfast.request_part AS p
    INNER JOIN open_request AS o ON p.request_id = o.request_id
    WHERE p.dataset IS NOT NULL AND p.dataset <> all(cast(:elsewhere AS text []))
    UNION
    SELECT p.request_id, c.dataset, NULL, NULL
    FROM holdfast.request_part AS p
    INNER JOIN open_request AS o ON p.request_id = o.request_id
    INNER JOIN unnest(cast(:whole_of AS text []), cast(:wholes AS text [])) AS c (dataset, category)
        ON p.category = c.category
    UNION
    SELECT p.request_id, c.dataset, NULL, array_agg(DISTINCT p.category ORDER BY p.category)
    FROM holdfast.request_part AS p
    INNER JOIN open_request AS o ON p.request_id = o.request_id
    INNER JOIN unnest(cast(:cut_of AS text []), cast(:cuts AS text [])) AS c (dataset, category)
        ON p.category = c.category
    GROUP BY p.request_id, c.dataset
)

INSERT INTO holdfast.erasure_scope (
    request_id, dataset, of_datasets, subject_key, record_key, categories, is_ready, waits_for, until
)
SELECT o.request_id, NULL, cast(:datasets AS integer), o.subject_key, NULL, NULL, o.is_ready, o.waits_for, o.until
FROM open_request AS o
WHERE NOT EXISTS (SELECT FROM holdfast.request_part AS p WHERE p.request_id = o.request_id)
UNION ALL
SELECT o.request_id, a.dataset, 1, o.subject_key, a.record_key, a.categories, o.is_ready, o.waits_for, o.until
FROM asked AS a
INNER JOIN open_request AS o ON a.request_id = o.request_id
WHERE
    (a.record_key IS NULL AND a.categories IS NULL)
    -- Who asks for all records of a dataset as well has asked for each of them, and for every column. Asked for twice, a row
    -- would be counted twice.
    OR NOT EXISTS (
        SELECT
        FROM asked AS more
        WHERE
            more.request_id = a.request_id
            AND more.dataset = a.dataset
            AND more.record_key IS NULL
            AND more.categories IS NULL
    )
