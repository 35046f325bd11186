-- What a night of deletion requests does must not grow with the nights before it: their matrices are forgotten, and what
-- is done with for good is not looked at again.

CREATE TABLE holdfast.request_night (
    run_id bigint PRIMARY KEY REFERENCES holdfast.run,
    notices_queued_for text,              -- digest of who is told of what; NULL: what was erased is not in the outbox yet
    matrix_forgotten_at timestamptz,
    kept_rows bigint,                     -- of a forgotten matrix, what letters that are not written yet will tell
    CHECK ((matrix_forgotten_at IS NULL) = (kept_rows IS NULL))
);
COMMENT ON TABLE holdfast.request_night IS 'What was done once for a night of deletion requests and is not done again.';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('matrix_forgotten', 'The matrix of a past night of deletion requests was forgotten at the end of its own period');

-- Of a night that is forgotten, notices must still be able to tell whether something stayed.
ALTER TABLE holdfast.request_told_gone ADD COLUMN in_part boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN holdfast.request_told_gone.in_part IS 'Something of it stayed that night, for a reason that may be told';
UPDATE holdfast.request_told_gone AS gone SET in_part = TRUE
FROM holdfast.request_told AS told
WHERE
    told.run_id = gone.run_id
    AND told.request_id = gone.request_id
    AND told.dataset = gone.dataset
    AND told.reasons <> '{}';
ALTER TABLE holdfast.request_told_gone ALTER COLUMN in_part DROP DEFAULT;

ALTER TABLE holdfast.deletion_request ADD COLUMN last_letter_written boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN holdfast.deletion_request.last_letter_written IS 'So no night asks again what letter it is owed';
UPDATE holdfast.deletion_request AS request SET last_letter_written = TRUE
FROM holdfast.request_letter AS letter
WHERE
    letter.request_id = request.request_id
    AND (letter.kind IN ('final', 'refusal', 'withdrawal') OR (letter.kind = 'outcome' AND letter.rest = '{}'));

CREATE INDEX deletion_request_letters ON holdfast.deletion_request (request_id) WHERE NOT last_letter_written;
CREATE INDEX deletion_request_received ON holdfast.deletion_request (received_at);
CREATE INDEX request_transition_ended ON holdfast.request_transition (at)
WHERE to_state IN ('completed', 'partly_completed', 'refused', 'withdrawn');
CREATE INDEX request_transition_decided ON holdfast.request_transition (run_id)
WHERE to_state IN ('partly_completed', 'completed');
CREATE INDEX request_addressee_kept ON holdfast.request_addressee (request_id) WHERE erased_at IS NULL;
CREATE INDEX erasure_run ON holdfast.erasure (run_id);
