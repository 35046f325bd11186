-- What may be told as gone of a request, night by night, with the seal of each night?
-- params:  request_id bigint
-- returns: one row for each dataset and run (dataset, action, gone_rows, run_id, as_of_date, root or NULL)
-- locks:   none
SELECT
    told.dataset,
    told.action,
    told.gone_rows,
    told.run_id,
    run.as_of_date,
    seal.root
FROM holdfast.request_told_gone AS told
INNER JOIN holdfast.run ON run.run_id = told.run_id
LEFT JOIN holdfast.ledger_seal AS seal ON seal.run_id = told.run_id
WHERE told.request_id = :request_id AND told.gone_rows > 0
ORDER BY told.run_id, told.dataset
