-- How long is the ledger, and how much of it does the last checkpoint cover?
-- params:  none
-- returns: one row (entries bigint, covered bigint, signed_at timestamptz); signed_at NULL: nothing was signed yet
-- locks:   none
SELECT
    head.seq AS entries,
    coalesce(signed.size, 0) AS covered,
    signed.made_at AS signed_at
FROM holdfast.ledger_head AS head
LEFT JOIN (
    SELECT size, made_at
    FROM holdfast.ledger_checkpoint
    ORDER BY size DESC
    LIMIT 1
) AS signed ON TRUE
