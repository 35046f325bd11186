-- What does every open request ask for, and may it be carried out? Of the states given, or of all.
-- params:  as_of date, states text[], datasets integer, category_datasets text[], categories text[]
-- returns: none; datasets is how many have a subject and a rule, the two last lists pair a dataset with a category in it
-- locks:   the new rows
WITH
open_request AS (
    SELECT
        r.request_id,
        r.subject_key,
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

INSERT INTO holdfast.erasure_scope (request_id, dataset, of_datasets, subject_key, record_key, is_ready, waits_for)
SELECT o.request_id, NULL, cast(:datasets AS integer), o.subject_key, NULL, o.is_ready, o.waits_for
FROM open_request AS o
WHERE NOT EXISTS (SELECT FROM holdfast.request_part AS p WHERE p.request_id = o.request_id)
UNION ALL
SELECT o.request_id, a.dataset, 1, o.subject_key, a.record_key, o.is_ready, o.waits_for
FROM asked AS a
INNER JOIN open_request AS o ON a.request_id = o.request_id
