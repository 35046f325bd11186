-- Remember up to which moment Airflow's history is copied.
-- params:  read_until timestamptz
-- returns: nothing
-- locks:   the row
UPDATE holdfast.airflow_read
SET read_until = greatest(airflow_read.read_until, cast(:read_until AS timestamptz))
