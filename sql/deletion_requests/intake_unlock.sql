-- Let other intakes work again; the end of the session would as well, but a moment later.
-- params:  none
-- returns: one row (unlocked boolean)
-- locks:   none
SELECT pg_advisory_unlock(hashtextextended('holdfast intake', 0)) AS unlocked
