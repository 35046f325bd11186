-- Suspension statistics: facts about nobody, what links them to the provider's rows for a while, and frozen months.
--
-- A fact never changes: what is learned later supersedes it, and both stay, so that a month can be computed again as it
-- was known at any moment. `known_at` is when we learned it; `superseded_at` when we learned better, NULL: it stands.
-- Facts hold days, durations and codes. Which record a fact came from is in statistics.link alone, which is emptied for a
-- month once it can no longer be needed (docs/decisions/0012-suspension-facts.md).

CREATE SCHEMA statistics;
REVOKE ALL ON SCHEMA statistics FROM PUBLIC;
COMMENT ON SCHEMA statistics IS 'Suspension statistics. Only statistics.link can be led back to a record, and only with the key';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('facts_taken', 'Facts about nobody were taken from suspensions and reviews'),
('facts_unlinked', 'Facts of these months can no longer be led back to a record'),
('statistics_frozen', 'A month of suspension statistics was computed and frozen under a digest'),
('statistics_restated', 'A month of suspension statistics was computed anew, as a further version and for a reason'),
('statistics_reproduced', 'A frozen month was computed again from the facts, and the digest compared'),
('safeguards_checked', 'Suspensions were looked through for broken safeguards (UK GDPR Arts 22A to 22D)');

-- Links -----------------------------------------------------------------------------------------------------------

CREATE TABLE statistics.turn (
    is_only_row boolean PRIMARY KEY DEFAULT TRUE CHECK (is_only_row)
);
INSERT INTO statistics.turn VALUES (TRUE);
COMMENT ON TABLE statistics.turn IS
'Locked while facts are taken or a month is frozen: what was known at a moment must never grow afterwards';

CREATE SEQUENCE statistics.record_numbers;

CREATE TABLE statistics.link (
    kind text NOT NULL,
    pseudonym text NOT NULL,              -- keyed, of the record, or of a reviewer in a month
    number bigint NOT NULL,               -- what facts call it
    account text,                         -- of a decision: a keyed pseudonym; NULL once its row is gone
    at timestamptz,                       -- of a decision: its moment, for the order of an account's decisions
    PRIMARY KEY (kind, pseudonym)
);
COMMENT ON TABLE statistics.link IS 'Which record a fact is of, as a keyed pseudonym, until the month is out of reach';
CREATE UNIQUE INDEX link_number ON statistics.link (number);
CREATE INDEX link_account ON statistics.link (account, at) WHERE account IS NOT NULL;

CREATE TABLE statistics.unlinked (
    month date PRIMARY KEY CHECK (extract(DAY FROM month) = 1),
    unlinked_at timestamptz NOT NULL
);
COMMENT ON TABLE statistics.unlinked IS 'Months whose facts can no longer be led back; nothing of them is taken any more';

-- Facts -----------------------------------------------------------------------------------------------------------
-- `minutes` is the time since the decision, of an ending since its request; NULL: there is nothing to measure from.

CREATE TABLE statistics.decision (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    day date NOT NULL,                    -- the controller's day
    account_kind text,
    account_age text,
    region text,
    detected_by_machine boolean,
    automation text,                      -- as the provider says; see the view for what counts
    person_acted boolean,
    person_changed boolean,
    restriction text,
    reason text,
    signal_family text,
    product text,
    detection_source text,
    lawful_basis text,
    rule_version text,
    has_reasons boolean,
    uses_special_category boolean,
    bars_emergency_calls boolean,
    not_told_because text,
    planned_hours integer,                -- NULL: without an end
    PRIMARY KEY (number, known_at)
);
CREATE INDEX decision_day ON statistics.decision (day);

CREATE TABLE statistics.chain (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    is_first_in_month boolean NOT NULL,   -- of its account, so that accounts can be counted without one
    days_since_previous integer,          -- decision on the same account, up to 366; NULL: none
    days_since_overturned integer,        -- decision on the same account that a review had overturned before
    PRIMARY KEY (number, known_at)
);
COMMENT ON TABLE statistics.chain IS 'How a decision stands to others on the same account, as long as the account was known';

CREATE TABLE statistics.notice (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    offers_review boolean,
    PRIMARY KEY (number, known_at)
);
CREATE INDEX notice_case ON statistics.notice (case_number);
CREATE INDEX notice_day ON statistics.notice (day);

CREATE TABLE statistics.request (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    kind text,
    assigned_minutes integer,             -- from the request; NULL: nobody was given it
    PRIMARY KEY (number, known_at)
);
CREATE INDEX request_case ON statistics.request (case_number);
CREATE INDEX request_day ON statistics.request (day);

CREATE TABLE statistics.ending (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    request_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    outcome text,
    reviewer_number bigint,               -- tells reviewers of one month apart; NULL: no person decided
    reviewer_is_decider boolean,
    seconds_spent integer,
    evidence_viewed boolean,
    PRIMARY KEY (number, known_at)
);
CREATE INDEX ending_request ON statistics.ending (request_number);
CREATE INDEX ending_day ON statistics.ending (day);

CREATE TABLE statistics.restoration (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    cause text,
    PRIMARY KEY (number, known_at)
);
CREATE INDEX restoration_case ON statistics.restoration (case_number);
CREATE INDEX restoration_day ON statistics.restoration (day);

CREATE TABLE statistics.escalation (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    kind text,
    PRIMARY KEY (number, known_at)
);
CREATE INDEX escalation_day ON statistics.escalation (day);

CREATE TABLE statistics.check (
    number bigint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    case_number bigint NOT NULL,
    day date NOT NULL,
    minutes integer,
    was_right boolean,                    -- NULL: looked at, not decided
    PRIMARY KEY (number, known_at)
);
CREATE INDEX check_day ON statistics.check (day);

CREATE TABLE statistics.day (
    day date NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    individuals bigint NOT NULL,          -- active accounts
    businesses bigint NOT NULL,
    missed_looked_at bigint,
    missed_found bigint,
    PRIMARY KEY (day, known_at)
);
COMMENT ON TABLE statistics.day IS 'Days that arrived whole. A month whose days are not all here is not computed';

-- Months ----------------------------------------------------------------------------------------------------------

CREATE TABLE statistics.version (
    month date NOT NULL CHECK (extract(DAY FROM month) = 1),
    version integer NOT NULL CHECK (version > 0),
    known_until timestamptz NOT NULL,     -- facts known by then are in it
    made_at timestamptz NOT NULL,
    reason text NOT NULL,                 -- a code; of the first version: frozen
    made_by text NOT NULL,
    terms text NOT NULL,                  -- canonical JSON of all that shaped the figures beside the facts
    definitions text NOT NULL,            -- sha256: of the definitions
    figures text NOT NULL,                -- canonical JSON
    digest text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    PRIMARY KEY (month, version)
);
COMMENT ON TABLE statistics.version IS 'Every version of every month; digest is of the text of figures';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON statistics.version
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.ledger_refuse_change();

CREATE TABLE statistics.safeguard_break (
    kind text NOT NULL,
    pseudonym text NOT NULL,              -- of the decision or the request
    since date NOT NULL,
    found_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (kind, pseudonym, found_at)
);
CREATE UNIQUE INDEX safeguard_break_open ON statistics.safeguard_break (kind, pseudonym) WHERE ended_at IS NULL;

-- As known at a moment ----------------------------------------------------------------------------------------------
-- One function for each kind of fact, each a plain SELECT, which the planner takes apart as it does a view.
-- `fault` is a code where a decision contradicts itself; other facts are judged beside what they refer to.
-- `automation` is what counts: where a person held, released or confirmed a decision before it took effect, nobody can say
-- that it was taken by a machine alone, whatever was recorded.

CREATE FUNCTION statistics.decisions(known_until timestamptz) RETURNS TABLE (
    number bigint, day date, account_kind text, account_age text, region text, detection text, automation text,
    said_fully boolean, person_changed boolean, restriction text, reason text, signal_family text, product text,
    detection_source text, lawful_basis text, rule_version text, has_reasons boolean, uses_special_category boolean,
    bars_emergency_calls boolean, not_told_because text, planned_hours integer, fault text
) LANGUAGE sql STABLE AS $$
SELECT
    number, day, account_kind, coalesce(account_age, 'not_recorded'), coalesce(region, 'not_recorded'),
    CASE WHEN detected_by_machine THEN 'by_machine' ELSE 'by_people' END,
    CASE WHEN automation = 'fully' AND person_acted THEN 'not' ELSE automation END,
    automation = 'fully', person_changed, restriction, reason, coalesce(signal_family, 'not_recorded'),
    coalesce(product, 'not_recorded'), coalesce(detection_source, 'not_recorded'), lawful_basis, rule_version,
    coalesce(has_reasons, FALSE), coalesce(uses_special_category, FALSE), coalesce(bars_emergency_calls, FALSE),
    not_told_because, planned_hours,
    CASE
        WHEN day > CAST(known_at AT TIME ZONE 'UTC' AS date) + 1 THEN 'lies_in_the_future'
        WHEN planned_hours < 0 THEN 'ends_before_it_begins'
        WHEN
            automation IS NULL OR automation NOT IN ('fully', 'partially', 'not')
            OR restriction IS NULL OR restriction NOT IN ('partial', 'total', 'termination')
            OR account_kind IS NULL OR account_kind NOT IN ('individual', 'business')
            OR reason IS NULL OR detected_by_machine IS NULL
            THEN 'has_an_unknown_code'
    END
FROM statistics.decision
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;

CREATE FUNCTION statistics.chains(known_until timestamptz) RETURNS SETOF statistics.chain
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.chain
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.notices(known_until timestamptz) RETURNS SETOF statistics.notice
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.notice
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.requests(known_until timestamptz) RETURNS SETOF statistics.request
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.request
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.endings(known_until timestamptz) RETURNS SETOF statistics.ending
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.ending
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.restorations(known_until timestamptz) RETURNS SETOF statistics.restoration
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.restoration
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.escalations(known_until timestamptz) RETURNS SETOF statistics.escalation
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.escalation
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.checks(known_until timestamptz) RETURNS SETOF statistics.check
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.check
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
CREATE FUNCTION statistics.days(known_until timestamptz) RETURNS SETOF statistics.day
LANGUAGE sql STABLE AS $$
SELECT * FROM statistics.day
WHERE known_at <= known_until AND (superseded_at IS NULL OR superseded_at > known_until)
$$;
