-- Keep any other intake away, on whatever machine, until this session ends.
-- params:  none
-- returns: one row (locked boolean), false while another intake is under way
-- locks:   an advisory lock on the inbox, for the session
SELECT pg_try_advisory_lock(hashtextextended('holdfast intake', 0)) AS locked
