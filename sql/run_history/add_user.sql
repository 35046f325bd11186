-- Remember who a pseudonym is.
-- params:  pseudonym text, user_name text
-- returns: nothing
-- locks:   the new row
INSERT INTO holdfast.airflow_user (pseudonym, user_name)
VALUES (:pseudonym, :user_name)
ON CONFLICT (pseudonym) DO NOTHING
