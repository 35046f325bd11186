-- From which day to which does each dataset reach? The latest start that is due, and how much older rows may be.
-- An independent reckoning: calendar arithmetic of PostgreSQL, day by day, not the rules that are tested against it.
-- `missing` is what an empty start means; a start of `accounting` counts from the end of the year to 31 March.
-- params: as_of timestamptz, backlog boolean
-- returns: nothing; makes the temporary table synthetic_window until the end of the transaction
-- locks: none
CREATE TEMPORARY TABLE synthetic_window ON COMMIT DROP AS
WITH made AS (
    SELECT
        cast(:as_of AS timestamptz) AS until,
        cast(cast(:as_of AS timestamptz) AT TIME ZONE 'Europe/London' AS date) AS today,
        cast(:backlog AS boolean) AS backlog
),

listed (dataset, period, missing, overdue_days, backlog_days, accounting) AS (
    VALUES
    ('accounts', interval '6 years', 'live', 28, 939, FALSE),
    ('contacts', interval '6 years', 'live', 28, 939, FALSE),
    ('identity_evidence', interval '90 days', 'live', 5, 150, FALSE),
    ('consents', interval '6 years', 'live', 28, 939, FALSE),
    ('payment_methods', interval '13 months', 'unknown_start', 8, 169, FALSE),
    ('invoices', interval '6 years', 'unknown_start', 28, 939, TRUE),
    ('payments', interval '6 years', NULL, 28, 939, TRUE),
    ('refunds', interval '6 years', NULL, 28, 939, TRUE),
    ('disputes', interval '6 years', NULL, 28, 939, TRUE),
    ('number_assignments', interval '6 years', 'live', 28, 939, FALSE),
    ('emergency_addresses', interval '30 days', 'live', 5, 240, FALSE),
    ('login_events', interval '12 months', 'unknown_start', 7, 156, FALSE),
    ('api_request_logs', interval '90 days', 'unknown_start', 2, 39, FALSE),
    ('call_detail_records', interval '12 months', NULL, 7, 156, FALSE),
    ('messages', interval '30 days', 'live', 6, 156, FALSE),
    ('call_recordings', interval '90 days', 'unknown_start', 2, 39, FALSE),
    ('fraud_signals', interval '24 months', 'unknown_start', 15, 313, FALSE),
    ('suspensions', interval '6 years', 'live', 28, 939, FALSE),
    ('suspension_notices', interval '6 years', 'live', 28, 939, FALSE),
    ('review_requests', interval '6 years', 'live', 28, 939, FALSE),
    ('review_outcomes', interval '6 years', 'live', 28, 939, FALSE),
    ('support_tickets', interval '24 months', 'live', 15, 313, FALSE),
    ('complaints', interval '6 years', 'live', 28, 939, FALSE),
    ('law_enforcement_requests', interval '6 years', 'live', 28, 939, FALSE),
    ('disclosures', interval '6 years', 'unknown_start', 28, 939, FALSE)
),

-- So many days before the end of the period rows are taken, since what is taken is kept encrypted for that time.
undo (dataset, undo_days) AS (
    VALUES ('fraud_signals', 7), ('support_tickets', 7)
),

bounded AS (
    SELECT
        listed.dataset, listed.missing, listed.accounting, made.until, made.today, made.backlog,
        CASE WHEN made.backlog THEN listed.backlog_days ELSE listed.overdue_days END AS overdue_days,
        (
            SELECT max(cast(day AS date))
            FROM generate_series(
                cast(made.today AS timestamp) - listed.period - interval '1 year 5 days',
                cast(made.today AS timestamp) - listed.period + interval '15 days',
                interval '1 day'
            ) AS day
            WHERE
                day + listed.period < made.today + coalesce(undo.undo_days, 0)
                AND (NOT listed.accounting OR (extract(MONTH FROM day) = 3 AND extract(DAY FROM day) = 31))
        ) AS last_due,
        listed.period
    FROM listed
    CROSS JOIN made
    LEFT JOIN undo ON listed.dataset = undo.dataset
)

SELECT
    dataset, missing, until, today, backlog, overdue_days, last_due,
    last_due + 1 AS first_kept,
    provider.synthetic_local(last_due - overdue_days, time '00:00') AS oldest,
    until - provider.synthetic_local(last_due - overdue_days, time '00:00') AS span,
    -- Yearly, all of a year falls due at once: a run that kept up has old rows only in the weeks after.
    backlog OR NOT accounting OR last_due + period > today - interval '29 days' AS due_exist
FROM bounded
