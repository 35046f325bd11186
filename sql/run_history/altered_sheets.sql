-- Which sheets are not those whose digests the ledger has, and which entries have lost their sheet?
-- params:  none
-- returns: rows (ledger_seq)
-- locks:   none
SELECT coalesce(entry.seq, copied.ledger_seq) AS ledger_seq
FROM holdfast.airflow_sheet AS copied
FULL JOIN (
    SELECT
        ledger_entry.seq,
        cast(ledger_entry.entry AS jsonb) -> 'facts' ->> 'digest' AS digest
    FROM holdfast.ledger_entry
    WHERE ledger_entry.kind = 'history_copied'
) AS entry ON entry.seq = copied.ledger_seq
WHERE
    entry.seq IS NULL
    OR copied.ledger_seq IS NULL
    OR entry.digest <> 'sha256:' || encode(sha256(convert_to(copied.sheet, 'UTF8')), 'hex')
ORDER BY ledger_seq
