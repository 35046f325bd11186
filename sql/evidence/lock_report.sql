-- Wait until nobody else writes this report, and keep others from it until the end of the transaction.
-- params:  report text
-- returns: one row, of no meaning
-- locks:   an advisory lock on writing it
SELECT pg_advisory_xact_lock(hashtextextended('holdfast report ' || :report, 0)) AS locked
