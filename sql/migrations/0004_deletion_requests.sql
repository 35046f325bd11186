-- Deletion requests: their life, their scope, the nightly matrix of decisions, restrictions, recipients and letters.

CREATE TABLE holdfast.request_state (
    state text PRIMARY KEY,
    meaning text NOT NULL,
    is_final boolean NOT NULL
);
INSERT INTO holdfast.request_state (state, meaning, is_final) VALUES
('received', 'it has arrived and is not yet looked at', FALSE),
('identity_pending', 'the person has been asked who they are (UK GDPR Art 12(6))', FALSE),
('verified', 'the person is who they say; the cool-off runs', FALSE),
('assessed', 'the cool-off is over and the matrix says what would be erased', FALSE),
('approved', 'it may be carried out', FALSE),
('executing', 'what can be erased is being erased, and what is held is followed', FALSE),
('partly_completed', 'what could be erased is erased; the rest is held and followed', FALSE),
('completed', 'nothing in its scope is left', TRUE),
('refused', 'refused as a whole, with a reason', TRUE),
('withdrawn', 'the account holder took it back', TRUE);

CREATE TABLE holdfast.request_state_change (
    from_state text NOT NULL REFERENCES holdfast.request_state,
    to_state text NOT NULL REFERENCES holdfast.request_state,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO holdfast.request_state_change (from_state, to_state) VALUES
('received', 'identity_pending'), ('received', 'verified'), ('received', 'refused'), ('received', 'withdrawn'),
('identity_pending', 'verified'), ('identity_pending', 'refused'), ('identity_pending', 'withdrawn'),
('verified', 'assessed'), ('verified', 'refused'), ('verified', 'withdrawn'),
('assessed', 'approved'), ('assessed', 'refused'), ('assessed', 'withdrawn'),
('approved', 'executing'), ('approved', 'refused'), ('approved', 'withdrawn'),
('executing', 'partly_completed'), ('executing', 'completed'),
('partly_completed', 'completed');

CREATE TABLE holdfast.deletion_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE CHECK (reference ~ '^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$'),
    channel text NOT NULL CHECK (channel IN ('form', 'email', 'post', 'telephone', 'support', 'file')),
    subject_key text NOT NULL,
    state text NOT NULL DEFAULT 'received' REFERENCES holdfast.request_state,
    received_at timestamptz NOT NULL,
    identity_requested_at timestamptz,
    identity_received_at timestamptz,     -- the information of Art 12(6) arrived: moves the start of the clock
    fee_requested_at timestamptz,
    fee_paid_at timestamptz,              -- Art 12(5): moves the start of the clock
    withdraw_until date,                  -- the last day of the cool-off
    extension_reason text CHECK (extension_reason IN ('complexity', 'number_of_requests')),
    extension_notified_at timestamptz,
    refusal_reason text CHECK (
        refusal_reason IN ('identity_not_confirmed', 'manifestly_unfounded', 'excessive', 'contract_live', 'not_a_subject')
    ),
    first_approved_by text,
    second_approved_by text,
    duplicate_of bigint REFERENCES holdfast.deletion_request,
    closed_at timestamptz,
    CHECK (first_approved_by IS NULL OR second_approved_by IS NULL OR first_approved_by <> second_approved_by),
    CHECK (state <> 'refused' OR refusal_reason IS NOT NULL),
    CHECK ((extension_reason IS NULL) = (extension_notified_at IS NULL))
);
CREATE INDEX deletion_request_subject ON holdfast.deletion_request (subject_key);
CREATE INDEX deletion_request_open ON holdfast.deletion_request (state) WHERE closed_at IS NULL;

-- No row: the whole account. Each row adds a part: a dataset, a category of columns, or one record of a dataset.
CREATE TABLE holdfast.request_part (
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    part_no integer NOT NULL,
    dataset text,
    category text,
    record_key text,
    PRIMARY KEY (request_id, part_no),
    CHECK (num_nonnulls(dataset, category) = 1),
    CHECK (record_key IS NULL OR dataset IS NOT NULL)
);

CREATE TABLE holdfast.request_transition (
    transition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    from_state text NOT NULL,
    to_state text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_whom text NOT NULL,
    run_id bigint
);
CREATE INDEX request_transition_request ON holdfast.request_transition (request_id);

CREATE FUNCTION holdfast.check_request_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM holdfast.request_state_change WHERE from_state = OLD.state AND to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'a request cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'HF101';
    END IF;
    IF NEW.subject_key <> OLD.subject_key OR NEW.received_at <> OLD.received_at OR NEW.reference <> OLD.reference THEN
        RAISE EXCEPTION 'reference, subject and receipt of a request never change' USING ERRCODE = 'HF102';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER check_request_change BEFORE UPDATE ON holdfast.deletion_request
FOR EACH ROW EXECUTE FUNCTION holdfast.check_request_change();

CREATE FUNCTION holdfast.refuse_request_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a deletion request is evidence until its own retention ends' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER keep_requests BEFORE DELETE OR TRUNCATE ON holdfast.deletion_request
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse_request_removal();

-- Files of requests that were taken in, by the digest of their bytes: the same file again adds nothing.
CREATE TABLE holdfast.request_file (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    taken_in_at timestamptz NOT NULL,
    taken_rows integer NOT NULL,          -- rows that became requests, this time or before
    refused_rows integer NOT NULL         -- rows with a fault; they get another chance if the file comes again
);

-- The matrix: for each run exactly one row for each pending request and dataset in its scope.
CREATE TABLE holdfast.request_decision (
    -- No foreign keys: they doubled the time of millions of decisions, all of which are matched with the requests anyway.
    run_id bigint NOT NULL,
    request_id bigint NOT NULL,
    dataset text NOT NULL,
    decision text NOT NULL CHECK (
        decision IN ('erase', 'anonymise', 'held', 'exempt', 'not_held', 'waiting', 'unknown')
    ),
    reason text NOT NULL,                 -- code: a hold type, a rule, identity, cool_off, approval, dataset, source
    rows_found bigint NOT NULL,
    rows_acted bigint NOT NULL,           -- to erase or anonymise; after the run, what was; of a waiting one, what would be
    rows_held bigint NOT NULL,
    rows_exempt bigint NOT NULL,
    held_until date,                      -- the latest end of the holds; NULL: one has none
    review_on date,
    disclosable boolean NOT NULL DEFAULT TRUE, -- FALSE: what keeps any of it must not be named to anybody
    -- What would stand here if nothing that may not be named existed. NULL: the same; must be given if not disclosable.
    told_action text CHECK (told_action IN ('erase', 'anonymise')), -- of some of it at least; NULL: of nothing
    told_reasons text[],                  -- every hold type and rule that keeps something, in order; NULL: see above
    told_until date,                      -- the latest end of those; NULL: one has none
    told_review_on date,                  -- the next review of those that have none
    told_rows bigint NOT NULL DEFAULT 0,  -- to erase or anonymise, or told as gone; what approvals are decided by
    PRIMARY KEY (run_id, request_id, dataset),
    CHECK (disclosable OR told_reasons IS NOT NULL)
);

-- Restriction of processing (UK GDPR Art 18) of what stays although it was asked for.
CREATE TABLE holdfast.restriction (
    subject_key text NOT NULL,
    dataset text NOT NULL,
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    since timestamptz NOT NULL,
    lifted_at timestamptz,
    PRIMARY KEY (request_id, dataset)
);

-- What was erased for whom, by keyed pseudonym: replayed after a backup has been restored.
CREATE TABLE holdfast.erasure (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL,           -- no foreign keys, as in the matrix that it is taken from
    run_id bigint NOT NULL,
    dataset text NOT NULL,
    subject_pseudonym text NOT NULL,
    erased_rows bigint NOT NULL,
    erased_at timestamptz NOT NULL,
    categories text[],                    -- the columns of these alone were emptied; NULL: whole records
    UNIQUE (request_id, run_id, dataset)
);

-- What may be told as gone, night by night: letters and notices read this instead of holdfast.erasure. What only a hold
-- that must not be disclosed keeps is told as gone on the night on which it would have gone without that hold.
CREATE TABLE holdfast.request_told_gone (
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    dataset text NOT NULL,
    run_id bigint NOT NULL REFERENCES holdfast.run,
    action text CHECK (action IN ('erase', 'anonymise')),
    gone_rows bigint NOT NULL CHECK (gone_rows >= 0), -- newly told as gone
    still_there bigint NOT NULL,          -- of all that was told as gone; not told again when it goes
    categories text[],                    -- the columns of these alone; NULL: whole records
    PRIMARY KEY (request_id, dataset, run_id),
    CHECK (gone_rows = 0 OR action IS NOT NULL)
);
CREATE INDEX request_told_gone_run ON holdfast.request_told_gone (run_id);

-- Notices to recipients (UK GDPR Art 19): an outbox, delivered at least once, with a receipt.
-- One for each run that did something, because what is held today is erased another night.
CREATE TABLE holdfast.recipient_notice (
    notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    run_id bigint NOT NULL REFERENCES holdfast.run,
    recipient text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('erased', 'restricted', 'emergency_cease')),
    datasets text[] NOT NULL CHECK (datasets <> '{}'),
    in_part text[] NOT NULL CHECK (in_part <@ datasets),   -- of those, what was erased only in part
    categories text[] NOT NULL CHECK (categories <> '{}'), -- of those, what this recipient was given
    queued_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    failure text,                         -- the kind of error of the last attempt; NULL: none, or it succeeded
    sent_at timestamptz,
    outcome text CHECK (outcome IN ('acknowledged', 'impossible', 'disproportionate', 'not_required')),
    outcome_at timestamptz,
    UNIQUE (request_id, recipient, kind, run_id),
    CHECK ((outcome IS NULL) = (outcome_at IS NULL)),
    CHECK (outcome <> 'acknowledged' OR sent_at IS NOT NULL)
);
CREATE INDEX recipient_notice_open ON holdfast.recipient_notice (notice_id) WHERE outcome IS NULL;
CREATE INDEX recipient_notice_unsent ON holdfast.recipient_notice (notice_id) WHERE outcome IS NULL AND sent_at IS NULL;

CREATE TABLE holdfast.request_letter (
    letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    kind text NOT NULL CHECK (kind IN ('acknowledgement', 'extension', 'outcome', 'final', 'refusal', 'withdrawal')),
    sha256 text NOT NULL,
    file_name text NOT NULL,              -- below the folder of letters; carries the request's number alone
    written_at timestamptz NOT NULL,
    rest text[] NOT NULL DEFAULT '{}',    -- the datasets it named as staying: a final letter is owed when they are gone
    erased_at timestamptz,                -- its files are gone
    UNIQUE (request_id, kind, sha256)
);

-- Name and address for the letters still to come, in a file beside them, because the contact is erased before the last.
CREATE TABLE holdfast.request_addressee (
    request_id bigint PRIMARY KEY REFERENCES holdfast.deletion_request,
    content_pseudonym text NOT NULL,      -- keyed, of what the file says: tells whether it changed
    taken_at timestamptz NOT NULL,
    erased_at timestamptz                 -- no letter is to come any more, and the file is gone
);

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('request_received', 'A deletion request entered the register'),
('request_changed', 'Deletion requests went from one state to another, or what moves the clock was recorded of one'),
('request_file_taken_in', 'A file of deletion requests was taken in: its digest, and how many rows were taken and refused'),
('request_extended', 'The deadline of a request was extended, with a reason, and the person told'),
('request_assessed', 'The matrix of a night: how many decisions of each kind, and that they add up'),
('request_erased', 'What was erased for one request in one dataset'),
('request_restricted', 'What stays of a request was flagged as restricted (UK GDPR Art 18)'),
('recipient_notified', 'A recipient was told of an erasure or a restriction (UK GDPR Art 19)'),
('recipient_answered', 'A recipient acknowledged a notice, or why it need not or cannot be told was recorded'),
('letter_written', 'A letter to the person was written; its digest'),
('letters_erased', 'The letters of a request, and what was kept to address them, were erased at the end of their own period'),
('break_found', 'Something does not agree, and was reported'),
('reconciled', 'Requests, data, holds, restrictions and recipients were compared: how many kinds of break there are'),
('replay_started', 'The erasures since a moment are applied again after a restore');

-- What open requests ask for; filled anew each night before the matrix.
CREATE TABLE holdfast.erasure_scope (
    request_id bigint NOT NULL REFERENCES holdfast.deletion_request,
    dataset text,                         -- NULL: each one that is about a subject and that a rule erases
    of_datasets integer NOT NULL DEFAULT 1, -- how many those are
    subject_key text NOT NULL,
    record_key text,                      -- NULL: every record of the subject
    categories text[],                    -- the columns of these alone, and the record stays; NULL: the whole record
    is_ready boolean NOT NULL,            -- approved and past its cool-off: may be carried out
    waits_for text CHECK (waits_for IN ('identity', 'cool_off', 'approval', 'address')), -- why it is not ready
    CHECK (is_ready = (waits_for IS NULL)),
    CHECK (record_key IS NULL OR dataset IS NOT NULL),
    CHECK (categories <> '{}' AND (categories IS NULL OR (record_key IS NULL AND dataset IS NOT NULL)))
);

-- These change more in a night than autovacuum would see in time. A plan made for the rows of the night before looks
-- every request up in every table, which takes ten times as long, or the square of the requests.
CREATE FUNCTION holdfast.analyze_requests() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ANALYZE holdfast.erasure_scope, holdfast.request_decision, holdfast.request_after, holdfast.erasure;
END
$$;

-- The same matrix counted once more after the work: what is still there, and why.
CREATE TABLE holdfast.request_after (LIKE holdfast.request_decision INCLUDING ALL);

-- What may be told of what is left after the work. Letters and notices read this and the next view, and never the matrix,
-- so that a hold that must not be disclosed cannot change a word in them (docs/decisions/0008-letters.md). `action` is
-- what becomes of rows that nothing nameable keeps: with an empty list of reasons, they are told as gone.
CREATE VIEW holdfast.request_told AS
SELECT
    run_id, request_id, dataset,
    CASE WHEN told_reasons IS NOT NULL THEN told_action WHEN decision IN ('erase', 'anonymise') THEN decision END AS action,
    CASE
        WHEN told_reasons IS NOT NULL THEN told_reasons
        WHEN decision IN ('held', 'exempt', 'waiting', 'unknown') THEN ARRAY[reason]
        ELSE '{}'
    END AS reasons,
    CASE WHEN told_reasons IS NOT NULL THEN told_until ELSE held_until END AS until,
    CASE WHEN told_reasons IS NOT NULL THEN told_review_on ELSE review_on END AS review_on
FROM holdfast.request_after;

-- What was done for each request, and how.
CREATE VIEW holdfast.request_erased AS
SELECT erasure.run_id, erasure.request_id, erasure.dataset, decision.decision AS action, erasure.erased_rows
FROM holdfast.erasure
INNER JOIN holdfast.request_decision AS decision
    ON
        decision.run_id = erasure.run_id
        AND decision.request_id = erasure.request_id
        AND decision.dataset = erasure.dataset;

-- The rows by which a decision is large or small: those that may be told, less what was told as gone to the same subject at
-- an earlier request and is only still there because of a hold that must not be disclosed.
CREATE VIEW holdfast.request_size AS
SELECT
    decision.run_id,
    decision.request_id,
    decision.dataset,
    greatest(0, decision.told_rows - coalesce(gone.still_there, 0)) AS size_rows
FROM holdfast.request_decision AS decision
LEFT JOIN LATERAL (
    SELECT max(latest.still_there) AS still_there
    FROM holdfast.deletion_request AS request
    INNER JOIN holdfast.deletion_request AS other
        ON other.subject_key = request.subject_key AND other.request_id <> request.request_id
    CROSS JOIN LATERAL (
        SELECT earlier.still_there, earlier.categories
        FROM holdfast.request_told_gone AS earlier
        WHERE
            earlier.request_id = other.request_id
            AND earlier.dataset = decision.dataset
            AND earlier.run_id < decision.run_id
        ORDER BY earlier.run_id DESC
        LIMIT 1
    ) AS latest
    WHERE decision.told_rows > 0 AND request.request_id = decision.request_id AND latest.categories IS NULL
) AS gone ON TRUE;
