-- Airflow's own history of runs, out of reach of `airflow db clean`, and where it disagrees with the ledger or the calendar.
-- Decision and limits: docs/decisions/0015-run-history.md.

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('history_copied', 'What Airflow says of a run, or of a day, was copied: the digest of the copy'),
('history_compared', 'Ledger, Airflow and calendar were compared: how many disagreements there are of each kind'),
('disagreement_found', 'Ledger, Airflow and calendar do not say the same of a night'),
('disagreement_ended', 'Ledger, Airflow and calendar say the same again'),
('disagreement_explained', 'A person gave the reason for a disagreement');

CREATE TABLE holdfast.airflow_sheet (
    sheet_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dag text,                             -- NULL: what the audit log says of a day, and of no run
    run text NOT NULL,                    -- Airflow's id, or its digest where a person chose it; or the day
    night date,                           -- what the run is for, a night or the first day of a month; NULL: nobody says
    state text,
    sheet text NOT NULL,
    digest text NOT NULL,
    ledger_seq bigint NOT NULL,
    copied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE holdfast.airflow_sheet IS 'What Airflow said of its runs. The last of a run has all that the ones before it had.';
COMMENT ON COLUMN holdfast.airflow_sheet.sheet IS 'Canonical JSON; its SHA-256 is in the entry history_copied';
COMMENT ON COLUMN holdfast.airflow_sheet.ledger_seq IS 'The entry that has the digest';
CREATE INDEX airflow_sheet_run ON holdfast.airflow_sheet (dag, run, sheet_id);
CREATE INDEX airflow_sheet_night ON holdfast.airflow_sheet (night);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.airflow_sheet
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();

CREATE TABLE holdfast.airflow_user (
    pseudonym text PRIMARY KEY,
    user_name text NOT NULL
);
COMMENT ON TABLE holdfast.airflow_user IS 'Who the pseudonyms in sheets are. A row can go and leaves the evidence as it is.';

CREATE TABLE holdfast.airflow_read (
    is_only_row boolean PRIMARY KEY DEFAULT TRUE CHECK (is_only_row),
    read_until timestamptz                -- NULL: nothing was read yet
);
COMMENT ON TABLE holdfast.airflow_read IS 'What had changed by then is copied; locked by whoever copies.';
INSERT INTO holdfast.airflow_read (read_until) VALUES (NULL);

CREATE TABLE holdfast.disagreement (
    disagreement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    job text,                             -- NULL: of no job
    night date,                           -- NULL: of no night
    subject text NOT NULL,                -- what it is about: a run, a sheet, an entry, an act
    told text,                            -- of an act, what was done, in Airflow's words
    by text,                              -- the pseudonym of who did it
    found_at timestamptz NOT NULL,
    ended_at timestamptz,                 -- it was looked for and not found any more
    explained_at timestamptz,
    explained_by text,
    reason text,
    CHECK ((explained_at IS NULL) = (explained_by IS NULL) AND (explained_at IS NULL) = (reason IS NULL))
);
COMMENT ON TABLE holdfast.disagreement IS 'Where ledger, Airflow and calendar did not say the same, until they did or somebody said why.';
CREATE UNIQUE INDEX disagreement_open ON holdfast.disagreement (kind, coalesce(job, ''), subject) WHERE ended_at IS NULL;

REVOKE ALL ON holdfast.airflow_sheet, holdfast.airflow_user, holdfast.airflow_read, holdfast.disagreement FROM PUBLIC;
