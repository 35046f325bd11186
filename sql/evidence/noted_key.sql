-- By which key are this database's pseudonyms made?
-- params:  none
-- returns: the proof; none before the first was made
-- locks:   none
SELECT pseudonym_key.proof FROM holdfast.pseudonym_key
