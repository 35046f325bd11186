-- The ledger: what was done, in an order nobody can alter unseen, and the one way to write it.
-- Decision and limits: docs/decisions/0003-ledger.md.

CREATE TABLE holdfast.ledger_kind (
    kind text PRIMARY KEY,
    meaning text NOT NULL
);

COMMENT ON TABLE holdfast.ledger_kind IS 'The closed list of what an entry may say; a migration adds to it';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('run_started', 'A run began for a logical date under a policy version'),
('run_refused', 'A run may not start: past or future date, or another one is open'),
('run_resumed', 'A later attempt took the run over where the last commit left it'),
('holds_refreshed', 'The register holds what every hold source says now'),
('hold_source_untrusted', 'A hold source is stale, missing, failing or shrunk; what it could protect is kept'),
('hold_source_accepted', 'A person accepted a hold source in spite of its bound'),
('hold_placed', 'A hold entered the register'),
('hold_released', 'A hold left the register'),
('plan_made', 'What is due, held, exempt and unknown, with the digest of the plan'),
('cap_exceeded', 'The plan is larger or older than its caps allow'),
('approval_given', 'A person approved the plan with this digest'),
('approval_refused', 'A person refused the plan with this digest'),
('approval_expired', 'Nobody answered in time; the plan was not carried out'),
('file_batch_intended', 'These files are about to be deleted; their rows go only afterwards'),
('batch_deleted', 'A batch of rows was deleted in this transaction'),
('batch_anonymised', 'A batch of rows was anonymised in this transaction'),
('partition_dropped', 'A wholly expired partition was dropped in this transaction'),
('fenced', 'An attempt that a newer one had replaced was stopped'),
('sweep_started', 'Due rows that arrived or were released during the run are being worked through'),
('run_verified', 'No survivors, and before minus deleted is after for every dataset'),
('verification_failed', 'Survivors or missing rows were found'),
('run_sealed', 'The Merkle root over the entries of the run, which ends its evidence'),
('run_failed', 'The run ended without doing all of its work'),
('nights_missed', 'Logical dates on which no run took place'),
('policy_changed', 'The policy differs from the one of the run before');

CREATE TABLE holdfast.ledger_entry (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    run_id bigint,
    kind text NOT NULL,
    entry text NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE INDEX ledger_entry_run ON holdfast.ledger_entry (run_id, seq);

COMMENT ON TABLE holdfast.ledger_entry IS 'hash = sha256(prev_hash || utf8(entry)); seq has no gaps';
COMMENT ON COLUMN holdfast.ledger_entry.entry IS 'The canonical text that is hashed; the columns repeat parts of it';
COMMENT ON COLUMN holdfast.ledger_entry.prev_hash IS 'The hash of entry seq - 1; 32 zero bytes for the first';

CREATE TABLE holdfast.ledger_head (
    is_only_row boolean PRIMARY KEY DEFAULT TRUE CHECK (is_only_row),
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

COMMENT ON TABLE holdfast.ledger_head IS 'The last entry; locked by each writer, so that a rollback leaves no gap in seq';

INSERT INTO holdfast.ledger_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE holdfast.ledger_seal (
    run_id bigint PRIMARY KEY,
    job text NOT NULL CHECK (job ~ '^[a-z][a-z0-9_-]{0,62}$'), -- becomes part of a file name
    as_of date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    root bytea NOT NULL,
    sealed_seq bigint NOT NULL,
    head_hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);

COMMENT ON COLUMN holdfast.ledger_seal.root IS
'RFC 9162 Merkle root over the texts of the entries of the run from first_seq to last_seq';
COMMENT ON COLUMN holdfast.ledger_seal.sealed_seq IS 'The entry run_sealed; head_hash is its hash and covers the chain so far';

-- No entry may hold personal data, and text that a person wrote may hold anything. So facts are compact JSON whose
-- every string, key or value, is one of
--   a code        a letter, then up to 199 letters, digits and _ . : / = -, without nine digits in a row:
--                 reason codes, rule ids, dataset names, ISO periods, file names
--   a date        ISO 8601 day, or day and time
--   a digest      sha256: and 64 hexadecimal digits
--   a pseudonym   p1: and 32 hexadecimal digits
-- and whose numbers are plain decimals of at most ten digits before the point (just under ten thousand million) and
-- six after it. That refuses sentences, e-mail addresses (@), IPv4 addresses and telephone numbers: any that begins
-- with + or 0, any in a code, and numbers of eleven digits or more, as nearly all are with their country code. It is a
-- net against mistakes and no proof: a first name or a postcode without its space looks like a code, and a national
-- number without its 0 looks like a count.
-- The text is examined, not its parsed value, which would not show a key that was given twice: jsonb drops the first
-- of the two, and comparing lengths tells. No string has an escape in it, so every other piece between quotation
-- marks is a string.
CREATE FUNCTION holdfast.ledger_facts_are_codes(facts text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN facts ~ (
        '^\{(?:[][{}:,]|true|false|null|"[A-Za-z0-9_.:/=+-]+"'
        || '|-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,6})?[],}])*$'
    )
        THEN
            json_typeof(facts::json) = 'object'
            AND length(replace(facts::jsonb::text, ' ', '')) = length(facts)
            AND NOT EXISTS (
                SELECT
                FROM unnest(string_to_array(facts, '"')) WITH ORDINALITY AS piece (string, number)
                WHERE
                    piece.number % 2 = 0
                    AND (piece.string !~ '^[A-Za-z][A-Za-z0-9_.:/=-]*$'
                        OR length(piece.string) > 200
                        OR piece.string ~ '[0-9]{9}')
                    AND piece.string !~ '^(?:sha256:[0-9a-f]{64}|p1:[0-9a-f]{32})$'
                    AND piece.string !~ (
                        '^[0-9]{4}-[0-9]{2}-[0-9]{2}'
                        || '(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$'
                    )
            )
    ELSE FALSE
END;

CREATE FUNCTION holdfast.ledger_append(kind text, facts text, run_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $append$
DECLARE
    head holdfast.ledger_head;
    entry_seq bigint;
    entry_at timestamptz;
    entry_text text;
    entry_hash bytea;
BEGIN
    -- Messages never quote what was refused: it may be what the ledger must not hold, and errors are logged.
    IF NOT EXISTS (SELECT FROM holdfast.ledger_kind AS known WHERE known.kind = ledger_append.kind) THEN
        RAISE EXCEPTION 'the kind of entry is not in the closed list' USING ERRCODE = 'HF001';
    END IF;
    IF holdfast.ledger_facts_are_codes(facts) IS NOT TRUE THEN
        RAISE EXCEPTION 'facts hold something other than codes, dates, digests, pseudonyms and numbers'
            USING ERRCODE = 'HF002';
    END IF;

    -- Held until the caller commits: the next writer waits here and then reads the head that was committed.
    SELECT * INTO STRICT head FROM holdfast.ledger_head FOR UPDATE;
    entry_seq := head.seq + 1;
    entry_at := clock_timestamp();
    entry_text := '{"at":"' || to_char(entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","facts":' || facts
        || ',"kind":"' || kind
        || '","run":' || coalesce(run_id::text, 'null')
        || ',"seq":' || entry_seq || '}';
    entry_hash := sha256(head.hash || convert_to(entry_text, 'UTF8'));
    INSERT INTO holdfast.ledger_entry VALUES (entry_seq, entry_at, run_id, kind, entry_text, head.hash, entry_hash);
    UPDATE holdfast.ledger_head SET seq = entry_seq, hash = entry_hash;
    RETURN entry_seq;
END;
$append$;

CREATE FUNCTION holdfast.ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $refuse$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: evidence is only ever added to', tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'HF003';
END;
$refuse$;

-- For each statement, so that one that would touch no row is refused as well, and TRUNCATE, which fires no row trigger.
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.ledger_seal
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.ledger_kind
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON holdfast.ledger_head
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();

REVOKE ALL ON holdfast.ledger_kind, holdfast.ledger_entry, holdfast.ledger_head, holdfast.ledger_seal FROM PUBLIC;
REVOKE ALL ON FUNCTION holdfast.ledger_append(text, text, bigint) FROM PUBLIC;
