-- Which active holds name a type or a dataset that the policy no longer has, or a dataset that the type cannot stop?
-- They would be in the register and hold nothing.
-- params:  as_of date, types text[], datasets text[], deaf text[]
-- returns: one row for each (source_id text, hold_type text, holds bigint)
-- locks:   none
SELECT source_id, hold_type, count(*) AS holds
FROM holdfast.hold
WHERE
    released_at IS NULL
    AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))
    AND (
        hold_type <> all(cast(:types AS text []))
        OR NOT datasets <@ cast(:datasets AS text [])
        OR EXISTS (
            SELECT FROM unnest(datasets) AS named (dataset)
            WHERE named.dataset || ' ' || hold_type = any(cast(:deaf AS text []))
        )
    )
GROUP BY source_id, hold_type
ORDER BY source_id, hold_type
