-- Where does the next checkpoint go on?
-- params:  none
-- returns: at most one row (size, peaks, note)
-- locks:   none
SELECT
    size,
    peaks,
    note
FROM holdfast.ledger_checkpoint
ORDER BY size DESC
LIMIT 1
