-- Who are the pseudonyms in what was copied from Airflow?
-- params:  none
-- returns: rows (pseudonym, user_name)
-- locks:   none
SELECT pseudonym, user_name FROM holdfast.airflow_user
