-- Store what a plan found for one rule.
-- params:  run_id bigint, rule_id text, dataset text, action text, wave integer, total_rows bigint, due_rows bigint, held_rows bigint, refused_rows bigint, waiting_rows bigint, other_rule_rows bigint, done_rows bigint, unknown_rows bigint, not_started_rows bigint, not_due_rows bigint, oldest_due date, due_fingerprint text, held_fingerprint text, cap_rows bigint, cap_share double precision, cap_overdue_days integer, oldest_overdue_days integer, caps_exceeded text[]
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.plan_rule (
    run_id, rule_id, dataset, action, wave, total_rows, due_rows, held_rows, refused_rows, waiting_rows,
    other_rule_rows, done_rows, unknown_rows, not_started_rows, not_due_rows, oldest_due, due_fingerprint,
    held_fingerprint, cap_rows, cap_share, cap_overdue_days, oldest_overdue_days, caps_exceeded
)
VALUES (
    :run_id, :rule_id, :dataset, :action, :wave, :total_rows, :due_rows, :held_rows, :refused_rows, :waiting_rows,
    :other_rule_rows, :done_rows, :unknown_rows, :not_started_rows, :not_due_rows, :oldest_due, :due_fingerprint,
    :held_fingerprint, :cap_rows, :cap_share, :cap_overdue_days, :oldest_overdue_days, cast(:caps_exceeded AS text [])
)
