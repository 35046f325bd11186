-- Which entries were written from one moment up to another, with one more on either side to show that none is missing?
-- params:  since timestamptz, until timestamptz
-- returns: one row (first_seq, last_seq); both NULL for an empty ledger
-- locks:   none
SELECT
    coalesce(
        max(seq) FILTER (WHERE at < cast(:since AS timestamptz)),
        min(seq)
    ) AS first_seq,
    coalesce(
        min(seq) FILTER (WHERE at >= cast(:until AS timestamptz)),
        max(seq)
    ) AS last_seq
FROM holdfast.ledger_entry
