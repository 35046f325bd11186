-- One maker of checkpoints at a time.
-- params:  none
-- returns: one row, of no meaning
-- locks:   an advisory lock on making checkpoints
SELECT pg_advisory_xact_lock(hashtextextended('holdfast checkpoint', 0)) AS locked
