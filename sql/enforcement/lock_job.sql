-- Let nobody else open a run of this job until the transaction ends; and tell the time.
-- params:  job text
-- returns: one row (now)
-- locks:   an advisory lock on the job
SELECT clock_timestamp() AS now FROM pg_advisory_xact_lock(hashtextextended('holdfast run ' || :job, 0))
