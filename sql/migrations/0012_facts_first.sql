-- Facts are taken in one way alone, and it is known up to where, so that no row goes before its facts. What was published
-- of a month is kept as it was: whoever publishes more must hide what is left of it.

-- What erasures used to take fed no figure: statistics.decision and what belongs to it took its place.
DROP TABLE holdfast.suspension_fact;
DROP TABLE holdfast.statistics_month;

CREATE TABLE statistics.taking (
    taking_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken_at timestamptz NOT NULL,
    seen_in pg_snapshot NOT NULL,         -- row versions that this could see have had their facts taken
    taken_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE statistics.taking IS
'When the facts of all subjects were taken. Rows written since are not deleted where the data map says facts_first';

CREATE TABLE statistics.publication (
    month date NOT NULL,
    version integer NOT NULL,
    published_at timestamptz NOT NULL,
    terms text NOT NULL,                  -- canonical JSON of disclosure control as it was then
    cells text NOT NULL,                  -- canonical JSON of what was printed
    hidden text NOT NULL,                 -- canonical JSON of the names of what was not
    digest text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    PRIMARY KEY (month, version),
    FOREIGN KEY (month, version) REFERENCES statistics.version
);
COMMENT ON TABLE statistics.publication IS 'The published edition of each version that has one; digest is of the text of cells';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON statistics.publication
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('statistics_published', 'The published edition of a month of suspension statistics was made, under disclosure control');
