-- Which entries have the digests of what Airflow said of this run?
-- params:  run_id bigint
-- returns: rows (ledger_seq); several where Airflow said more each time, none before it was first copied
-- locks:   none
SELECT airflow_sheet.ledger_seq
FROM holdfast.airflow_sheet
INNER JOIN holdfast.run ON run.job = airflow_sheet.dag AND run.as_of_date = airflow_sheet.night
WHERE run.run_id = :run_id
ORDER BY airflow_sheet.ledger_seq
