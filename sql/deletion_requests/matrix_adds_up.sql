-- Does every open request have exactly one decision for each dataset in its scope?
-- params:  run_id bigint
-- returns: one row (asked, decided, matched): all three are equal if it adds up
-- locks:   none
WITH
asked AS (SELECT DISTINCT request_id, dataset FROM holdfast.erasure_scope),
decided AS (SELECT request_id, dataset FROM holdfast.request_decision WHERE run_id = :run_id)

SELECT
    (SELECT count(*) FROM asked) AS asked,
    (SELECT count(*) FROM decided) AS decided,
    (
        SELECT count(*) FROM asked AS a
        INNER JOIN decided AS d ON a.request_id = d.request_id AND a.dataset = d.dataset
    ) AS matched
