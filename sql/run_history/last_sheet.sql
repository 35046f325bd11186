-- What is known of this run, or of this day?
-- params:  dag text, run text
-- returns: the last sheet (sheet); none if it was never copied
-- locks:   none
SELECT airflow_sheet.sheet
FROM holdfast.airflow_sheet
WHERE airflow_sheet.dag IS NOT DISTINCT FROM cast(:dag AS text) AND airflow_sheet.run = :run
ORDER BY airflow_sheet.sheet_id DESC
LIMIT 1
