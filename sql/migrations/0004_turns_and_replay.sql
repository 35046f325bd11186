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
