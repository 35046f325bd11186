-- Does every open request have exactly one decision for each dataset in its scope?
-- params:  run_id bigint, datasets text[]
-- returns: one row (asked, decided, matched): all three are equal if it adds up; datasets are those that a request for
--          the whole account asks for
-- locks:   none
WITH
decided AS NOT MATERIALIZED (SELECT request_id, dataset FROM holdfast.request_decision WHERE run_id = :run_id),
whole AS (SELECT request_id, of_datasets FROM holdfast.erasure_scope WHERE dataset IS NULL),
part AS (SELECT DISTINCT request_id, dataset FROM holdfast.erasure_scope WHERE dataset IS NOT NULL)

SELECT
    (SELECT coalesce(sum(of_datasets), 0) FROM whole) + (SELECT count(*) FROM part) AS asked,
    (SELECT count(*) FROM decided) AS decided,
    (
        SELECT count(*)
        FROM decided
        INNER JOIN whole ON decided.request_id = whole.request_id
        WHERE decided.dataset = any(cast(:datasets AS text []))
    ) + (
        SELECT count(*)
        FROM part
        INNER JOIN decided ON part.request_id = decided.request_id AND part.dataset = decided.dataset
    ) AS matched
