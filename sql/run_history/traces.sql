-- Which entries did jobs without runs of their own leave, each once it was done?
-- params:  kinds text[], since timestamptz
-- returns: rows (kind, at, month), oldest first; month is the one that the entry names, if it does
-- locks:   none
SELECT
    ledger_entry.kind,
    ledger_entry.at,
    cast(ledger_entry.entry AS jsonb) -> 'facts' ->> 'month' AS month
FROM holdfast.ledger_entry
WHERE ledger_entry.kind = any(:kinds) AND ledger_entry.at >= :since
ORDER BY ledger_entry.seq
