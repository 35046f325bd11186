-- By which key this database's pseudonyms are made. The key itself is in no database: with another one what was erased
-- would not be found again after a restore, and every fact would be counted a second time.

CREATE TABLE holdfast.pseudonym_key (
    only_one boolean PRIMARY KEY DEFAULT TRUE CHECK (only_one),
    proof text NOT NULL,                  -- the pseudonym of a word that everybody knows
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE holdfast.pseudonym_key IS 'Tells the key of pseudonyms from any other, and does not tell the key.';
