-- Keep what Airflow says of a run, or of a day.
-- params:  dag text, run text, night date, state text, sheet text, digest text, ledger_seq bigint
-- returns: nothing
-- locks:   the new row
INSERT INTO holdfast.airflow_sheet (dag, run, night, state, sheet, digest, ledger_seq)
VALUES (:dag, :run, :night, :state, :sheet, :digest, :ledger_seq)
