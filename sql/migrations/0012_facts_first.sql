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

-- An age that statistics do not know sets its decision aside as any other code does; it used to stop the month. As in 0007
-- but for that line.
CREATE OR REPLACE FUNCTION statistics.decisions(known_until timestamptz) RETURNS TABLE (
    number bigint, day date, account_kind text, account_age text, region text, detection text, automation text,
    said_fully boolean, person_changed boolean, restriction text, reason text, signal_family text, product text,
    detection_source text, lawful_basis text, rule_version text, has_reasons boolean, uses_special_category boolean,
    bars_emergency_calls boolean, not_told_because text, planned_hours integer, fault text
) LANGUAGE sql STABLE AS $$
SELECT
    number, day, account_kind, coalesce(account_age, 'not_recorded'), coalesce(region, 'not_recorded'),
    CASE WHEN detected_by_machine THEN 'by_machine' ELSE 'by_people' END,
    CASE WHEN automation = 'fully' AND person_acted THEN 'not' ELSE automation END,
    automation = 'fully', person_changed, restriction, reason, coalesce(signal_family, 'not_recorded'),
    coalesce(product, 'not_recorded'), coalesce(detection_source, 'not_recorded'), lawful_basis, rule_version,
    coalesce(has_reasons, FALSE), coalesce(uses_special_category, FALSE), coalesce(bars_emergency_calls, FALSE),
    not_told_because, planned_hours,
    CASE
        WHEN day > CAST(known_at AT TIME ZONE 'UTC' AS date) + 1 THEN 'lies_in_the_future'
        WHEN planned_hours < 0 THEN 'ends_before_it_begins'
        WHEN
            automation IS NULL OR automation NOT IN ('fully', 'partially', 'not')
            OR restriction IS NULL OR restriction NOT IN ('partial', 'total', 'termination')
            OR account_kind IS NULL OR account_kind NOT IN ('individual', 'business')
            OR reason IS NULL OR detected_by_machine IS NULL
            OR account_age NOT IN ('under_30_days', 'under_a_year', 'older')
            THEN 'has_an_unknown_code'
    END
FROM statistics.decision
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
