-- Stage what a run decided, and what it counted after its work.
-- params:  run_id bigint
-- returns: none
-- locks:   none
INSERT INTO pg_temp.matrix_elsewhere (
    is_after, run_id,
    request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until, review_on,
    disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
)
SELECT
    FALSE, run_id,
    request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until, review_on,
    disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
FROM holdfast.request_decision
WHERE run_id = :run_id
UNION ALL
SELECT
    TRUE, run_id,
    request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until, review_on,
    disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
FROM holdfast.request_after
WHERE run_id = :run_id
