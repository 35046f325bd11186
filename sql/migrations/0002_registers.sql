-- The registers that enforcement stands on: holds and their sources, runs, plans, shards, approvals.

-- Holds ---------------------------------------------------------------------------------------------------------

CREATE TABLE holdfast.hold_source (
    source_id text PRIMARY KEY,
    -- trusted: the last read was fresh, complete and well formed. Anything else stops what it could protect.
    status text NOT NULL CHECK (status IN ('trusted', 'stale', 'missing', 'failed', 'shrunk')),
    checked_at timestamptz NOT NULL,
    loaded_at timestamptz,                -- when the source says its data was last complete
    read_holds bigint,                    -- holds in the last read, trusted or not
    accepted_holds bigint,                -- holds in the last read that was believed; what a shrink is measured by
    accept_holds bigint                   -- a person has said that a read of this many holds is right
);
COMMENT ON TABLE holdfast.hold_source IS 'What is known of each hold source, and whether it is believed.';

CREATE TABLE holdfast.hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id text NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Za-z][A-Za-z0-9_.:/-]*$' AND length(reference) <= 128),
    hold_type text NOT NULL,
    authority text NOT NULL CHECK (authority IN ('billing', 'tax', 'audit', 'legal', 'service')),
    ground text NOT NULL,
    disclosable boolean NOT NULL,
    subject_key text,                     -- NULL: every subject
    datasets text[] CHECK (datasets <> '{}' AND array_position(datasets, NULL) IS NULL), -- NULL: every dataset whose rule lists the type
    record_key text,                      -- NULL: every record; key columns joined by '|'
    period_from date,                     -- compared with the dataset's event column
    period_to date,                       -- exclusive
    ends_on date,                         -- the last day it holds; NULL: until it is released
    review_on date,
    placed_at timestamptz NOT NULL,
    placed_by text NOT NULL,
    released_at timestamptz,
    released_by text,
    -- The transaction that last wrote this row. A deletion asks for holds that its own snapshot could not see.
    changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    placed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(), -- the transaction it was placed in, or placed again
    UNIQUE (source_id, reference),
    CHECK (period_from IS NULL OR period_to IS NULL OR period_from < period_to),
    -- A single record is of one dataset; without this it would be of none, and the hold would hold nothing.
    CHECK (record_key IS NULL OR coalesce(cardinality(array_remove(datasets, NULL)), 0) = 1)
);
COMMENT ON TABLE holdfast.hold IS 'The one register of holds. A row is never deleted: a hold ends by its date or by release.';
CREATE INDEX hold_subject ON holdfast.hold (subject_key) WHERE released_at IS NULL;
CREATE INDEX hold_changed ON holdfast.hold (changed_xid);

CREATE FUNCTION holdfast.stamp_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    RETURN NEW;
END
$$;
CREATE TRIGGER stamp_hold BEFORE INSERT OR UPDATE ON holdfast.hold
FOR EACH ROW EXECUTE FUNCTION holdfast.stamp_hold();

CREATE FUNCTION holdfast.refuse_hold_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a hold is released, never removed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER keep_holds BEFORE DELETE OR TRUNCATE ON holdfast.hold
FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse_hold_removal();

-- Runs ----------------------------------------------------------------------------------------------------------

CREATE TABLE holdfast.run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    as_of timestamptz NOT NULL,
    as_of_date date NOT NULL,             -- the calendar day of as_of in the controller's zone
    mode text NOT NULL CHECK (mode IN ('enforce', 'dry-run')),
    policy_digest text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'planned', 'executing', 'verified', 'sealed', 'refused', 'superseded')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    holds_as_of timestamptz,              -- a hold released after this still holds for this run
    plan_digest text,
    plan_snapshot text,                   -- the pg_snapshot the plan was counted in
    refused_sources text[] NOT NULL DEFAULT '{}',
    UNIQUE (job, as_of_date, mode, policy_digest)
);
COMMENT ON TABLE holdfast.run IS 'One row for each job, day, mode and policy version: the run key. A retry is the same run.';

CREATE TABLE holdfast.plan_rule (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    rule_id text NOT NULL,
    dataset text NOT NULL,
    action text NOT NULL CHECK (action IN ('delete', 'anonymise')),
    wave integer NOT NULL,                -- children before parents
    total_rows bigint NOT NULL,
    due_rows bigint NOT NULL,
    held_rows bigint NOT NULL,
    refused_rows bigint NOT NULL,         -- would be due, but a source that could hold them is not believed
    waiting_rows bigint NOT NULL,         -- would be due, but rows that stay still refer to them
    other_rule_rows bigint NOT NULL,      -- decided by another rule of the same dataset
    done_rows bigint NOT NULL,            -- past the period and already anonymised
    unknown_rows bigint NOT NULL,         -- start event or subject missing, or start in the future
    not_started_rows bigint NOT NULL,
    not_due_rows bigint NOT NULL,
    oldest_due date,                      -- the earliest start day among the rows past their period and not done
    due_fingerprint text NOT NULL,        -- of the keys of the due rows
    held_fingerprint text NOT NULL,       -- of the contents of the held rows
    held_unchanged boolean,               -- NULL: not yet compared, or not comparable (rewritten by others meanwhile)
    limit_rows bigint,                    -- what enforcement may touch at most
    cap_rows bigint NOT NULL,
    cap_share double precision NOT NULL,
    cap_overdue_days integer NOT NULL,
    oldest_overdue_days integer,
    caps_exceeded text[] NOT NULL DEFAULT '{}',
    survivors bigint,                     -- NULL: not yet counted
    late_rows bigint,                     -- due rows that arrived after the plan
    PRIMARY KEY (run_id, rule_id),
    CHECK (total_rows = due_rows + held_rows + refused_rows + waiting_rows + other_rule_rows + done_rows
        + unknown_rows + not_started_rows + not_due_rows)
);
COMMENT ON TABLE holdfast.plan_rule IS 'What a run found for each rule. Each row of the dataset is counted exactly once.';

CREATE TABLE holdfast.plan_held (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    rule_id text NOT NULL,
    hold_type text NOT NULL,
    authority text NOT NULL,
    disclosable boolean NOT NULL,
    held_rows bigint NOT NULL,            -- a row under two types counts once for each
    held_until date,                      -- NULL: at least one of the holds has no end
    holds bigint NOT NULL,
    PRIMARY KEY (run_id, rule_id, hold_type)
);

CREATE TABLE holdfast.plan_forecast (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    rule_id text NOT NULL,
    within_days integer NOT NULL,
    rows_due bigint NOT NULL,             -- falling due in (0, within_days] days, before holds
    PRIMARY KEY (run_id, rule_id, within_days)
);

CREATE TABLE holdfast.dataset_count (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    dataset text NOT NULL,
    before_rows bigint NOT NULL,
    deleted_rows bigint,
    after_rows bigint,
    arrived_versions bigint,              -- row versions written since the plan's snapshot
    sample_rows bigint NOT NULL,
    sample_percent double precision NOT NULL,
    sample_fingerprint text NOT NULL,     -- of a sample of rows that were not due
    sample_unchanged boolean,             -- NULL: not yet compared, or not comparable
    PRIMARY KEY (run_id, dataset)
);

CREATE TABLE holdfast.approval (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    plan_digest text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approved', 'refused', 'expired')),
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, plan_digest)
);

CREATE TABLE holdfast.shard (
    shard_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES holdfast.run,
    rule_id text NOT NULL,
    wave integer NOT NULL,
    shard_no integer NOT NULL,
    label text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('blocks', 'files', 'partition')),
    table_schema text NOT NULL,           -- the table or the leaf partition
    table_name text NOT NULL,
    from_block bigint NOT NULL,
    to_block bigint NOT NULL,             -- exclusive
    next_block bigint NOT NULL,           -- where the next batch begins
    epoch integer NOT NULL DEFAULT 0,     -- raised by each attempt; a batch of an older one is refused
    batches integer NOT NULL DEFAULT 0,
    done_rows bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    UNIQUE (run_id, rule_id, shard_no)
);
COMMENT ON TABLE holdfast.shard IS 'A range of physical blocks of one table for one worker, its progress and its fence.';
