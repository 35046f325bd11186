-- The ledger as a transparency log: signed checkpoints over all of it, and the keys that signed.
-- Decision and limits: docs/decisions/0012-checkpoints.md.

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('key_rotated', 'From here on another key signs the checkpoints of the ledger; the digests of both');

CREATE TABLE holdfast.ledger_checkpoint (
    size bigint PRIMARY KEY CHECK (size > 0),
    peaks bytea NOT NULL,
    note text NOT NULL,
    made_at timestamptz NOT NULL
);

COMMENT ON TABLE holdfast.ledger_checkpoint IS 'The first size entries under one signed root; each continues the one before';
COMMENT ON COLUMN holdfast.ledger_checkpoint.note IS 'C2SP tlog-checkpoint; a copy of the file beside the database';
COMMENT ON COLUMN holdfast.ledger_checkpoint.peaks IS
'The roots of the complete subtrees, 32 bytes each, largest first: where the next checkpoint goes on';

CREATE TABLE holdfast.ledger_key_rotation (
    size bigint PRIMARY KEY CHECK (size > 0),
    note text NOT NULL,
    made_at timestamptz NOT NULL
);

COMMENT ON TABLE holdfast.ledger_key_rotation IS 'One key signs up to size entries, the next one beyond; signed by both';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.ledger_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.ledger_key_rotation
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();

REVOKE ALL ON holdfast.ledger_checkpoint, holdfast.ledger_key_rotation FROM PUBLIC;
