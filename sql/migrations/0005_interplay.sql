-- Two jobs that delete take turns; what a restored backup brought back is erased again; what other duties need of data
-- that is to be erased is written down before it goes.

-- Turns -----------------------------------------------------------------------------------------------------------

CREATE TABLE holdfast.turn (
    is_only_row boolean PRIMARY KEY DEFAULT TRUE CHECK (is_only_row)
);
COMMENT ON TABLE holdfast.turn IS 'Holds nothing: locked by a run that begins its work, so that no other begins meanwhile.';

ALTER TABLE holdfast.run ADD COLUMN worked_xid xid8;
COMMENT ON COLUMN holdfast.run.worked_xid IS
'The transaction that began its work or, once it is over, ended it; NULL: it never began';

-- Whoever asks, and however: a run counts its own deletions, and could not tell another's from rows that are lost.
CREATE UNIQUE INDEX run_at_work ON holdfast.run (state) WHERE state = 'executing';

CREATE FUNCTION holdfast.stamp_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 'executing' IN (OLD.state, NEW.state) AND OLD.state <> NEW.state THEN
        NEW.worked_xid := pg_current_xact_id();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER stamp_run BEFORE UPDATE OF state ON holdfast.run
FOR EACH ROW EXECUTE FUNCTION holdfast.stamp_run();

-- Replay ----------------------------------------------------------------------------------------------------------

INSERT INTO holdfast.request_state_change (from_state, to_state) VALUES
('completed', 'partly_completed'); -- a restored backup brought back what was erased: it is followed again

ALTER TABLE holdfast.deletion_request ADD COLUMN replay_until date;
COMMENT ON COLUMN holdfast.deletion_request.replay_until IS
'It is carried out again after a restore, for records made up to this day; NULL: it never was';

ALTER TABLE holdfast.erasure_scope ADD COLUMN until date;
COMMENT ON COLUMN holdfast.erasure_scope.until IS 'Only records made up to this day; NULL: whenever they were made';

ALTER TABLE holdfast.erasure ALTER COLUMN run_id DROP NOT NULL;
COMMENT ON COLUMN holdfast.erasure.run_id IS
'NULL: the run was lost with the database, and the line comes from a file of erasures';
CREATE INDEX erasure_erased_at ON holdfast.erasure (dataset, erased_at);

CREATE TABLE holdfast.came_back (
    run_id bigint REFERENCES holdfast.run, -- NULL: a person looked; the next run reports it
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    dataset text NOT NULL,
    found_rows bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (run_id, request_id, dataset)
);
COMMENT ON TABLE holdfast.came_back IS 'Rows of erased subjects that a restored backup brought back.';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('restore_acknowledged', 'A person said that the database was restored to an earlier moment; the seals it lost'),
('request_entered_again', 'Requests that a restore lost were entered again, from the files of erasures, by pseudonym');

-- What other duties need before data goes -------------------------------------------------------------------------

CREATE TABLE holdfast.emergency_cease (
    dataset text NOT NULL,
    record_key text NOT NULL,
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    wanted_at timestamptz NOT NULL,
    done_at timestamptz,                  -- acknowledged, or the record is gone
    PRIMARY KEY (dataset, record_key)
);
COMMENT ON TABLE holdfast.emergency_cease IS
'Records of 999 data that must be ceased, because whoever they are about asked for erasure: read by whatever sends 999 data';
CREATE INDEX emergency_cease_open ON holdfast.emergency_cease (wanted_at) WHERE done_at IS NULL;

-- The future job of statistics writes a month here when it has published it. Facts of a published month are of no more
-- use, and the pseudonym in a fact is dropped then: after that it is about nobody.
CREATE TABLE holdfast.statistics_month (
    month date PRIMARY KEY CHECK (extract(DAY FROM month) = 1),
    published_at timestamptz NOT NULL
);

CREATE TABLE holdfast.suspension_fact (
    fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_pseudonym text UNIQUE,         -- of the record it was made from, lest it be counted twice while both are there
    taken_at timestamptz NOT NULL,
    decided_on date NOT NULL,             -- the controller's day
    account_kind text,
    automation text NOT NULL,
    restriction text NOT NULL,
    is_temporary boolean NOT NULL,
    reason text NOT NULL,
    detection_source text NOT NULL,
    lawful_basis text,
    rule_version text,
    hours_in_force integer,               -- NULL: without an end
    minutes_to_notice integer,            -- NULL: never told
    reviews jsonb NOT NULL                -- an array of {kind, is_withdrawn, minutes_to_request, outcome, minutes_to_outcome}
);
COMMENT ON TABLE holdfast.suspension_fact IS
'What the statistics of a month need of suspensions whose rows are erased before the month is published; names nobody.';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('emergency_cease_wanted', 'Records of 999 data are to be ceased, because whoever they are about asked for erasure'),
('facts_kept', 'Facts about nobody were taken from rows that are about to be erased, for statistics not yet published');

-- What ordinary use must leave alone ------------------------------------------------------------------------------

CREATE INDEX restriction_now ON holdfast.restriction (dataset, subject_key) WHERE lifted_at IS NULL;

-- For the provider's own programs: no row of these may be used but for what keeps it (UK GDPR Art 18(2)).
CREATE VIEW holdfast.restricted AS
SELECT DISTINCT mark.dataset, mark.subject_key, named.record_key
FROM holdfast.restriction AS mark
LEFT JOIN LATERAL (
    SELECT part.record_key
    FROM holdfast.request_part AS part
    WHERE
        part.request_id = mark.request_id
        AND part.dataset = mark.dataset
        AND part.record_key IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM holdfast.request_part AS whole
            WHERE
                whole.request_id = mark.request_id
                AND (whole.category IS NOT NULL OR (whole.dataset = mark.dataset AND whole.record_key IS NULL))
        )
) AS named ON TRUE
WHERE mark.lifted_at IS NULL;
COMMENT ON VIEW holdfast.restricted IS
'Data under restriction now; record_key NULL: every record of that subject in that dataset. Never shown to the subject.';

CREATE FUNCTION holdfast.is_restricted(dataset text, subject_key text, record_key text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT
    FROM holdfast.restricted AS now
    WHERE
        now.dataset = is_restricted.dataset
        AND now.subject_key = is_restricted.subject_key
        AND (now.record_key IS NULL OR now.record_key = is_restricted.record_key)
);
COMMENT ON FUNCTION holdfast.is_restricted(text, text, text) IS
'Whether ordinary use must leave the record alone; for conditions and row security in the provider''s own tables.';
REVOKE ALL ON FUNCTION holdfast.is_restricted(text, text, text) FROM PUBLIC;
