-- Let nobody else take in requests until the transaction ends: of two at once, each must see the other as a duplicate.
-- params:  none
-- returns: nothing of use
-- locks:   an advisory lock on taking in requests
SELECT pg_advisory_xact_lock(hashtextextended('holdfast receive requests', 0)) AS locked
