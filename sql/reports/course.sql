-- How did the run go, as the ledger has it?
-- params:  run_id bigint
-- returns: one row for each kind of entry, in the order of its first. Placed and released holds are left out: their
--          number alone would tell of those that may not be told of; and its reports, which would each tell of the last.
-- locks:   none
SELECT
    entry.kind,
    kind.meaning,
    count(*) AS entries,
    min(entry.seq) AS first_seq,
    max(entry.seq) AS last_seq,
    min(entry.at) AS first_at,
    max(entry.at) AS last_at
FROM holdfast.ledger_entry AS entry
INNER JOIN holdfast.ledger_kind AS kind ON kind.kind = entry.kind
WHERE entry.run_id = :run_id AND entry.kind NOT IN ('hold_placed', 'hold_released', 'report_written')
GROUP BY entry.kind, kind.meaning
ORDER BY first_seq
