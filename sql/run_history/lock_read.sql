-- Up to which moment is Airflow's history copied, and what is the time?
-- params:  none
-- returns: one row (read_until, now)
-- locks:   the row FOR UPDATE, until the end of the transaction: one copies at a time
SELECT
    airflow_read.read_until,
    clock_timestamp() AS now
FROM holdfast.airflow_read
FOR UPDATE
