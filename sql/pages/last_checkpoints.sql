-- Which checkpoints were signed last?
-- params:  checkpoints integer
-- returns: at most so many rows, the latest first (size bigint, made_at timestamptz, note text)
-- locks:   none
SELECT
    size,
    made_at,
    note
FROM holdfast.ledger_checkpoint
ORDER BY size DESC
LIMIT :checkpoints
