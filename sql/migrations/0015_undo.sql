-- The undo window: rows that a rule took before their period was over, encrypted until then. The keys are in no
-- database: a key's file is destroyed on the day, and with it what was encrypted (docs/decisions/0016-undo-window.md).

CREATE TABLE holdfast.undo_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES holdfast.run,
    rule_id text NOT NULL,
    dataset text NOT NULL,
    wave integer NOT NULL,                -- children before parents when they went; the other way when they come back
    gone_by date NOT NULL,                -- by the schedule the rows must be gone on this day
    ends_on date NOT NULL CHECK (ends_on >= gone_by), -- the day their key is destroyed; later only where a hold keeps them
    why text NOT NULL CHECK (why IN ('window', 'held', 'unknown')), -- why it is kept; unknown: whether a hold wants it
    kept_rows bigint NOT NULL CHECK (kept_rows > 0),
    row_columns text[] NOT NULL,
    column_types text[] NOT NULL,
    sealed bytea NOT NULL                 -- a nonce of 12 bytes, and AES-256-GCM over what enforcement/undo/box.py says
);
ALTER TABLE holdfast.undo_batch ALTER COLUMN sealed SET STORAGE EXTERNAL; -- it was compressed before it was encrypted
CREATE INDEX undo_batch_ends_on ON holdfast.undo_batch (ends_on);
CREATE INDEX undo_batch_run ON holdfast.undo_batch (run_id);
COMMENT ON TABLE holdfast.undo_batch IS 'Deleted rows, encrypted with the key of their run and day, which lies outside.';

CREATE TABLE holdfast.undo_end (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    ends_on date NOT NULL,
    gone_rows bigint NOT NULL,            -- nobody can read these any more once the key is destroyed
    kept_on_rows bigint NOT NULL,         -- under a hold: encrypted anew with the key of another day
    destroyed_at timestamptz,             -- NULL: nothing is encrypted with the key any more, and its file may be there
    destroyed_in bigint REFERENCES holdfast.run,
    PRIMARY KEY (run_id, ends_on)
);
COMMENT ON TABLE holdfast.undo_end IS 'Keys of undo windows that are over, or whose rows were brought back.';

CREATE TABLE holdfast.undo_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES holdfast.run,
    digest text NOT NULL,                 -- of exactly what is to be brought back
    kept_rows bigint NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    first_approved_by text,
    second_approved_by text,
    restored_at timestamptz,
    UNIQUE (run_id, digest),
    CHECK (first_approved_by <> asked_by AND second_approved_by <> asked_by AND first_approved_by <> second_approved_by)
);
COMMENT ON TABLE holdfast.undo_request IS 'Who asked to have the rows of a run back, and the two others who approved.';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('undo_key_destroyed', 'The key of an undo window was destroyed: what was encrypted with it can be read by nobody'),
('undo_rows_kept_on', 'An undo window is over, and rows are kept on: under a hold, or one cannot be ruled out'),
('undo_restore_asked', 'Somebody asked to have the deleted rows of a run back'),
('undo_restore_approved', 'One of the two others who must approve it did'),
('undo_restored', 'Deleted rows of a run were brought back, as they were');
