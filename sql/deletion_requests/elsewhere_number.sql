-- Number what is staged as this register does: by the number that it knows the reference under, or the main one's where it
-- is free. They differ only where the main database was restored, and gave numbers again. What has another subject under
-- the same reference is left out: who asked cannot be told.
-- params:  none
-- returns: nothing
-- locks:   the staged rows
WITH staged AS (
    SELECT DISTINCT request_id, reference, subject_key FROM pg_temp.request_elsewhere
),

last AS (
    SELECT greatest(
        (SELECT max(request_id) FROM holdfast.deletion_request), (SELECT max(request_id) FROM staged)
    ) AS request_id
),

numbered AS (
    SELECT
        staged.reference,
        same.subject_key <> staged.subject_key AS is_another,
        CASE
            WHEN same.request_id IS NOT NULL THEN same.request_id
            WHEN other.request_id IS NULL THEN staged.request_id
            ELSE last.request_id + staged.request_id
        END AS request_id
    FROM staged
    CROSS JOIN last
    LEFT JOIN holdfast.deletion_request AS same ON staged.reference = same.reference
    LEFT JOIN holdfast.deletion_request AS other ON staged.request_id = other.request_id
),

left_out AS (
    DELETE FROM pg_temp.request_elsewhere AS open
    USING numbered
    WHERE open.reference = numbered.reference AND numbered.is_another
)

UPDATE pg_temp.request_elsewhere AS open
SET request_id = numbered.request_id
FROM numbered
WHERE open.reference = numbered.reference AND numbered.is_another IS NOT TRUE
