-- Correct the planned matrix by what was done: rows that a hold came to keep meanwhile were not erased.
-- params:  run_id bigint
-- returns: none
-- locks:   the matrix's rows that are corrected
UPDATE holdfast.request_decision AS d
SET
    rows_acted = greatest(0, d.rows_acted - a.rows_acted - greatest(0, a.rows_held - d.rows_held)),
    rows_held = greatest(d.rows_held, a.rows_held)
FROM holdfast.request_after AS a
WHERE
    d.run_id = :run_id AND a.run_id = d.run_id AND a.request_id = d.request_id AND a.dataset = d.dataset
    AND d.decision IN ('erase', 'anonymise')
    -- Of a night without surprises that is none.
    AND (a.rows_acted > 0 OR a.rows_held > d.rows_held)
