-- What did Airflow say, in the words whose digests these entries have?
-- params:  seqs bigint[]
-- returns: rows (ledger_seq, sheet), in order
-- locks:   none
SELECT
    airflow_sheet.ledger_seq,
    airflow_sheet.sheet
FROM holdfast.airflow_sheet
WHERE airflow_sheet.ledger_seq = any(:seqs)
ORDER BY airflow_sheet.ledger_seq
