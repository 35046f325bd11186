-- Stage what a run decided, and what it counted after its work, by the references of the requests.
-- params:  run_id bigint
-- returns: none
-- locks:   none
INSERT INTO pg_temp.matrix_elsewhere (
    is_after, reference, run_id,
    request_id, dataset, decision, reason, rows_found, rows_acted, rows_held, rows_exempt, held_until, review_on,
    disclosable, told_action, told_reasons, told_until, told_review_on, told_rows
)
SELECT
    one.is_after,
    request.reference,
    one.run_id,
    one.request_id,
    one.dataset,
    one.decision, one.reason, one.rows_found, one.rows_acted, one.rows_held, one.rows_exempt, one.held_until,
    one.review_on, one.disclosable, one.told_action, one.told_reasons, one.told_until, one.told_review_on,
    one.told_rows
FROM ( -- the two tables have the same columns
    SELECT FALSE AS is_after, decided.* FROM holdfast.request_decision AS decided WHERE decided.run_id = :run_id
    UNION ALL
    SELECT TRUE AS is_after, counted.* FROM holdfast.request_after AS counted WHERE counted.run_id = :run_id
) AS one
INNER JOIN holdfast.deletion_request AS request ON one.request_id = request.request_id
