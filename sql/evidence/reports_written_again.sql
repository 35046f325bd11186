-- Which reports of a range of entries were written again after it?
-- params:  first_seq bigint, last_seq bigint
-- returns: rows (seq), of the later entries
-- locks:   none
SELECT later.seq
FROM holdfast.ledger_entry AS later
WHERE
    later.kind = 'report_written'
    AND later.seq > :last_seq
    AND (
        cast(later.entry AS jsonb) -> 'facts' ->> 'report' IN (
            SELECT cast(entry.entry AS jsonb) -> 'facts' ->> 'report'
            FROM holdfast.ledger_entry AS entry
            WHERE entry.kind = 'report_written' AND entry.seq BETWEEN :first_seq AND :last_seq
        )
        OR later.run_id IN (
            SELECT entry.run_id FROM holdfast.ledger_entry AS entry WHERE entry.seq BETWEEN :first_seq AND :last_seq
        )
    )
ORDER BY later.seq
