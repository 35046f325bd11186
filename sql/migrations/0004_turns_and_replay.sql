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
