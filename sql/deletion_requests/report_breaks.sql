-- What did not agree when it was last looked for in a run?
-- params:  run_id bigint
-- returns: one row for each break, in the order of the ledger (facts jsonb, looked_at timestamptz); one with facts NULL
--          if there was none; no row if nobody looked
-- locks:   none
WITH looked AS (
    SELECT seq, at, coalesce(lag(seq) OVER (ORDER BY seq), 0) AS seq_before
    FROM holdfast.ledger_entry
    WHERE run_id = :run_id AND kind = 'reconciled'
    ORDER BY seq DESC
    LIMIT 1
)

SELECT cast(entry.entry AS jsonb) -> 'facts' AS facts, looked.at AS looked_at
FROM looked
LEFT JOIN holdfast.ledger_entry AS entry
    ON
        entry.run_id = :run_id
        AND entry.kind = 'break_found'
        AND entry.seq > looked.seq_before
        AND entry.seq < looked.seq
ORDER BY entry.seq
