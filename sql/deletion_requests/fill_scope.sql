-- What does every open request ask for, dataset by dataset, and may it be carried out?
-- params:  as_of date, datasets text[], category_datasets text[], categories text[]
-- returns: none; datasets are those with a subject and a rule, the two last lists pair a dataset with a category in it
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
    WHERE r.closed_at IS NULL AND r.state NOT IN ('completed', 'refused', 'withdrawn')
),

asked AS (
    SELECT o.request_id, d.dataset, cast(NULL AS text) AS record_key
    FROM open_request AS o
    CROSS JOIN unnest(cast(:datasets AS text [])) AS d (dataset)
    WHERE NOT EXISTS (SELECT FROM holdfast.request_part AS p WHERE p.request_id = o.request_id)
    UNION
    SELECT p.request_id, p.dataset, p.record_key
    FROM holdfast.request_part AS p
    INNER JOIN open_request AS o ON p.request_id = o.request_id
    WHERE p.dataset IS NOT NULL
    UNION
    SELECT p.request_id, c.dataset, NULL
    FROM holdfast.request_part AS p
    INNER JOIN open_request AS o ON p.request_id = o.request_id
    INNER JOIN unnest(cast(:category_datasets AS text []), cast(:categories AS text [])) AS c (dataset, category)
        ON p.category = c.category
)

INSERT INTO holdfast.erasure_scope (request_id, dataset, subject_key, record_key, is_ready, waits_for, until)
SELECT o.request_id, a.dataset, o.subject_key, a.record_key, o.is_ready, o.waits_for, o.until
FROM asked AS a
INNER JOIN open_request AS o ON a.request_id = o.request_id
