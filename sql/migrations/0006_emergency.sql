-- 999 emergency data: extracts and their records, releases, what the authority said, and what is kept apart.
--
-- Everything here that names a number is personal data, and stays in this schema. What leaves it (ledger, reports, logs)
-- is counts, rule ids, file names and digests.

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('extract_refused', 'A broken file of 999 records was refused whole and kept'),
('extract_judged', 'Each record of an extract was checked against every rule'),
('extract_validated', 'Great Expectations found of an extract what the pass of the database had found'),
('extract_waits', 'An extract changes more than its bounds allow and waits for a person'),
('extract_approved', 'A person approved the extract with this digest'),
('extract_declined', 'A person declined the extract with this digest'),
('extract_released', 'Good records left in a file, bad ones went to quarantine; together they are all'),
('emergency_forgotten', 'Records that were replaced or had ceased, and files, were forgotten after their period'),
('extract_delivered', 'A released file was handed over, once for its sequence number'),
('response_read', 'A file of answers of the emergency handling authority was matched'),
('response_refused', 'A file of answers could not be read or matched, and was kept'),
('calls_read', 'Reports of 999 calls from numbers without data were read'),
('calls_refused', 'A file of such reports could not be read, and was kept'),
('call_ended', 'A person ended a report of a 999 call from a number that nobody here can register'),
('emergency_reconciled', 'Records and number inventory were compared, both ways'),
('exception_accepted', 'A reviewed oddity passes a rule until a day');

CREATE SCHEMA emergency;
REVOKE ALL ON SCHEMA emergency FROM PUBLIC;
COMMENT ON SCHEMA emergency IS
'999 emergency data. Tables extract_<n> and verdict_<n> live while an extract is being worked on';

-- What rules look into. Its columns have other names than a record's fields, for a reason: see conditions.py ----------

CREATE TABLE emergency.reference (
    list_name text NOT NULL,
    key text NOT NULL,
    value text NOT NULL DEFAULT '',
    PRIMARY KEY (list_name, key, value)
);
COMMENT ON TABLE emergency.reference IS
'Lists of places and numbers: expectations/emergency_data/reference/, and what a provider supplies';

CREATE UNLOGGED TABLE emergency.inventory (
    number text PRIMARY KEY,
    provider text NOT NULL,
    is_live boolean NOT NULL,
    calls_999 boolean NOT NULL,           -- whether 999 can be called from it, so that it needs a record
    changed_at timestamptz,               -- when the number or its address last changed
    erased boolean NOT NULL,              -- its customer was erased: no record may be left
    name_digest bigint,
    address_digest bigint,
    house_digest bigint,                  -- of postcode and premises
    billing_digest bigint,                -- the same of the billing address
    verified_on date                      -- when the address was last checked with the customer; NULL: never
);
COMMENT ON TABLE emergency.inventory IS 'The provider''s numbers as sql/provider/emergency/numbers.sql gives them, read anew each run';

-- Extracts --------------------------------------------------------------------------------------------------------

CREATE TABLE emergency.extract (
    extract_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 text NOT NULL,
    file_name text NOT NULL,
    layout text,
    provider text,
    sequence bigint,
    extract_type text CHECK (extract_type IN ('FULL', 'DELTA')),
    business_date date,
    generated_at timestamptz,
    arrived_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'refused', 'judged', 'waiting', 'declined', 'released', 'delivered')),
    rule_set text,
    records bigint,
    released bigint,
    quarantined bigint,
    warned bigint,                        -- released with a warning
    validated_at timestamptz,             -- when Great Expectations agreed; NULL: it has not looked since the last verdict
    CHECK (state NOT IN ('released', 'delivered') OR coalesce(records = released + quarantined, FALSE))
);
COMMENT ON TABLE emergency.extract IS 'Every file that came. Records in are records released and quarantined';
-- A file that was refused or declined may come again, once what was wrong has been put right.
CREATE UNIQUE INDEX extract_file ON emergency.extract (sha256) WHERE state NOT IN ('refused', 'declined');
CREATE UNIQUE INDEX extract_sequence ON emergency.extract (provider, sequence) WHERE state NOT IN ('refused', 'declined');

CREATE TABLE emergency.file_finding (
    extract_id bigint NOT NULL REFERENCES emergency.extract,
    rule_id text NOT NULL,
    reason text NOT NULL,
    line bigint,
    column_name text
);
COMMENT ON TABLE emergency.file_finding IS 'Why a file was refused: the rule, and where. Never what stands there';
CREATE INDEX file_finding_extract ON emergency.file_finding (extract_id);

CREATE TABLE emergency.rule_count (
    extract_id bigint NOT NULL REFERENCES emergency.extract,
    rule_id text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'warning')),
    records bigint NOT NULL,              -- that break the rule, those with an exception left out
    excepted bigint NOT NULL,
    PRIMARY KEY (extract_id, rule_id)
);

CREATE TABLE emergency.change_figure (
    extract_id bigint NOT NULL REFERENCES emergency.extract,
    figure text NOT NULL,
    value double precision NOT NULL,
    bound double precision NOT NULL,
    exceeded boolean NOT NULL,
    PRIMARY KEY (extract_id, figure)
);
COMMENT ON TABLE emergency.change_figure IS 'What an extract would change in the accepted state, against its bounds';

CREATE TABLE emergency.approval (
    sha256 text PRIMARY KEY,
    decision text NOT NULL CHECK (decision IN ('approved', 'declined')),
    decided_by text NOT NULL,
    reason text NOT NULL,
    decided_at timestamptz NOT NULL
);
COMMENT ON TABLE emergency.approval IS 'A person''s answer for one file, named by its digest; another file has none';

-- Quarantine and release ------------------------------------------------------------------------------------------

CREATE TABLE emergency.quarantine (
    extract_id bigint NOT NULL REFERENCES emergency.extract,
    record_no bigint NOT NULL,
    provider text NOT NULL,
    number text,
    action text,
    rule_ids text[] NOT NULL CHECK (rule_ids <> '{}'),
    fields jsonb NOT NULL,
    quarantined_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_how text CHECK (ended_how IN ('corrected', 'superseded')),
    ended_by_extract bigint REFERENCES emergency.extract (extract_id),
    PRIMARY KEY (extract_id, record_no),
    CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
COMMENT ON TABLE emergency.quarantine IS 'Records that were stopped, with all their reasons, until a better one comes';
COMMENT ON COLUMN emergency.quarantine.fields IS 'The record as it came: names and addresses';
CREATE INDEX quarantine_open ON emergency.quarantine (provider, number) WHERE ended_at IS NULL;

CREATE TABLE emergency.release (
    extract_id bigint PRIMARY KEY REFERENCES emergency.extract,
    provider text NOT NULL,
    sequence bigint NOT NULL,
    file_name text NOT NULL,
    sha256 text NOT NULL,
    records bigint NOT NULL,
    released_at timestamptz NOT NULL,
    put_at timestamptz,                   -- at its destination under a name of its own, to be renamed
    delivered_at timestamptz,
    destination text,
    UNIQUE (provider, sequence)
);
COMMENT ON TABLE emergency.release IS 'The files of good records: one for each sequence number, delivered once';

CREATE TABLE emergency.number_record (
    provider text NOT NULL,
    number text NOT NULL,
    state text NOT NULL CHECK (state IN ('unregistered', 'pending', 'registered', 'failed', 'pending_cease')),
    sequence bigint NOT NULL,             -- of the release that last said something of it
    line_no bigint NOT NULL,
    changed_at timestamptz,               -- when what it says had changed; NULL: it was stated anew, or nobody knows
    submitted_at timestamptz NOT NULL,
    answered_at timestamptz,              -- NULL: not answered yet
    name_digest bigint,
    address_digest bigint,
    house_digest bigint,
    filled integer NOT NULL,              -- one bit for each field that had a value
    PRIMARY KEY (provider, number)
);
COMMENT ON TABLE emergency.number_record IS
'What the authority was last told of each number, and whether it agreed. Digests stand for names and addresses';

-- Answers of the authority ----------------------------------------------------------------------------------------

CREATE TABLE emergency.response (
    sha256 text PRIMARY KEY,
    file_name text NOT NULL,
    provider text NOT NULL,
    sequence bigint NOT NULL,             -- of the release that it answers
    answered_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('ACCEPTED', 'PARTIAL', 'REJECTED')),
    accepted bigint NOT NULL,             -- records whose state this answer changed
    accepted_first bigint NOT NULL,       -- of these, none of whose number was rejected and not corrected before
    rejected bigint NOT NULL,
    rejected_first bigint NOT NULL,
    unmatched bigint NOT NULL             -- lines that name no record of ours, or one that was sent again since
);

CREATE TABLE emergency.acknowledgement (
    provider text NOT NULL,
    sequence bigint NOT NULL,
    answered_on date NOT NULL,
    hours bigint NOT NULL,                -- from the change to the acceptance, begun hours counted
    records bigint NOT NULL,
    PRIMARY KEY (provider, sequence, answered_on, hours)
);
COMMENT ON TABLE emergency.acknowledgement IS 'How many changes were accepted after how many hours';

CREATE TABLE emergency.call_without_data (
    report_id text PRIMARY KEY,           -- the authority's
    number text NOT NULL,
    called_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_how text CHECK (ended_how IN ('registered', 'not_live', 'by_hand')),
    CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
COMMENT ON TABLE emergency.call_without_data IS
'Somebody dialled 999 and the authority had no name and address: open until a record sent since was accepted, or the number is gone';
CREATE INDEX call_open ON emergency.call_without_data (number) WHERE ended_at IS NULL;

CREATE TABLE emergency.reject (
    provider text NOT NULL,
    number text NOT NULL,
    sequence bigint NOT NULL,
    line_no bigint NOT NULL,
    code text NOT NULL,
    rejected_at timestamptz NOT NULL,
    ended_at timestamptz,                 -- when a later record of the number was accepted
    PRIMARY KEY (provider, number, sequence)
);
COMMENT ON TABLE emergency.reject IS 'What the authority rejected, until it accepts a record of that number';
CREATE INDEX reject_open ON emergency.reject (rejected_at) WHERE ended_at IS NULL;

-- Exceptions ------------------------------------------------------------------------------------------------------

CREATE TABLE emergency.exception (
    exception_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id text NOT NULL,
    provider text NOT NULL,
    number text NOT NULL,
    reason text NOT NULL CHECK (reason ~ '^[a-z][a-z0-9-]{2,60}$'),
    owner text NOT NULL CHECK (owner ~ '^[a-z][a-z0-9-]{2,60}$'),
    accepted_on date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= accepted_on),
    ended_on date                         -- taken back before its last day; NULL: not
);
COMMENT ON TABLE emergency.exception IS 'Reviewed oddities: this rule lets this number pass until the last day, and then no longer';
CREATE INDEX exception_number ON emergency.exception (provider, number);

-- Reconciliation --------------------------------------------------------------------------------------------------

CREATE TABLE emergency.gap (
    provider text NOT NULL,
    number text NOT NULL,
    rule_id text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (provider, number, rule_id, opened_at)
);
COMMENT ON TABLE emergency.gap IS 'Where records and inventory disagree, since when; a gap that comes back is a new one';
CREATE UNIQUE INDEX gap_open ON emergency.gap (provider, number, rule_id) WHERE closed_at IS NULL;

CREATE TABLE emergency.reconciliation (
    reconciled_at timestamptz NOT NULL,
    provider text NOT NULL,
    needing bigint NOT NULL,              -- live numbers that need a record
    covered bigint NOT NULL,              -- of these, with a record that the authority has or was sent
    verified bigint NOT NULL,             -- of these, with an address that was checked within the year
    told bigint NOT NULL,                 -- numbers of which the authority has a record, or was sent one
    stale bigint NOT NULL,                -- of these, not live any more, or of an erased customer
    rejected bigint NOT NULL,             -- rejects that are open, and 999 calls without data
    calls bigint NOT NULL,
    PRIMARY KEY (provider, reconciled_at)
);
COMMENT ON TABLE emergency.reconciliation IS 'How the records stood each time they were compared with the inventory';

CREATE TABLE emergency.audit_due (
    provider text NOT NULL,
    due_month date NOT NULL,              -- its first day
    numbers bigint NOT NULL,
    PRIMARY KEY (provider, due_month)
);
COMMENT ON TABLE emergency.audit_due IS
'How many addresses must be checked again by the end of which month; written anew at each reconciliation. Overdue: W503';

-- Who may see -----------------------------------------------------------------------------------------------------

-- A role that looks single records up in quarantine. Roles belong to the server, so another database may have made it.
DO $role$
BEGIN
    CREATE ROLE holdfast_quarantine NOLOGIN;
EXCEPTION
    WHEN duplicate_object THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the role holdfast_quarantine is left to an administrator; see docs/emergency_data.md';
END
$role$;

DO $grant$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'holdfast_quarantine') THEN
        GRANT USAGE ON SCHEMA emergency TO holdfast_quarantine;
        GRANT SELECT ON emergency.quarantine TO holdfast_quarantine;
    END IF;
END
$grant$;
