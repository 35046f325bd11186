-- What does the last entry about a report say, for each of these names, or with NULL for every report?
-- params:  names text[]
-- returns: rows (report, seq, digest); none for a report that the ledger does not know
-- locks:   none
SELECT DISTINCT ON (report)
    cast(entry AS jsonb) -> 'facts' ->> 'report' AS report,
    seq,
    cast(entry AS jsonb) -> 'facts' ->> 'digest' AS digest
FROM holdfast.ledger_entry
WHERE
    kind = 'report_written'
    AND (
        cast(:names AS text[]) IS NULL
        OR cast(entry AS jsonb) -> 'facts' ->> 'report' = any(cast(:names AS text[]))
    )
ORDER BY report ASC, seq DESC
