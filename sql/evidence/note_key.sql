-- Note by which key this database's pseudonyms are made, unless that is known.
-- params:  proof text
-- returns: nothing
-- locks:   the row of another transaction that notes it is waited for
INSERT INTO holdfast.pseudonym_key (proof) VALUES (:proof) ON CONFLICT DO NOTHING
