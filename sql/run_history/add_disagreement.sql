-- Note a disagreement.
-- params:  kind text, job text, night date, subject text, told text, by text, now timestamptz
-- returns: one row (disagreement_id)
-- locks:   the new row
INSERT INTO holdfast.disagreement (kind, job, night, subject, told, by, found_at)
VALUES (:kind, :job, :night, :subject, :told, :by, :now)
RETURNING disagreement_id
