-- What did Airflow say last of each run and day since a night?
-- params:  since date
-- returns: rows (sheet_id, sheet), in the order of copying
-- locks:   none
SELECT
    latest.sheet_id,
    latest.sheet
FROM (
    SELECT DISTINCT ON (airflow_sheet.dag, airflow_sheet.run)
        airflow_sheet.sheet_id,
        airflow_sheet.night,
        airflow_sheet.sheet
    FROM holdfast.airflow_sheet
    ORDER BY airflow_sheet.dag ASC, airflow_sheet.run ASC, airflow_sheet.sheet_id DESC
) AS latest
WHERE latest.night IS NULL OR latest.night >= :since
ORDER BY latest.sheet_id
