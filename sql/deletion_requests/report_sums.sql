-- Does a run's matrix add up to the requests times their datasets, and what came of it?
-- params:  run_id bigint
-- returns: one row: whole_requests, those for the whole account, the fewest_datasets and most_datasets that one of them
--          was decided in, and whole_decisions; part_requests, those for parts, and part_decisions; asked, the pairs
--          that the night asked for (NULL: another night has asked since); is_settled, erased_rows and erased_requests
--          of this run; restricted, the pairs that are restricted now
-- locks:   none
WITH by_request AS (
    SELECT
        decision.request_id,
        count(*) AS decisions,
        NOT EXISTS (
            SELECT FROM holdfast.request_part AS part WHERE part.request_id = decision.request_id
        ) AS is_whole
    FROM holdfast.request_decision AS decision
    WHERE decision.run_id = :run_id
    GROUP BY decision.request_id
)

SELECT
    count(*) FILTER (WHERE is_whole) AS whole_requests,
    coalesce(min(decisions) FILTER (WHERE is_whole), 0) AS fewest_datasets,
    coalesce(max(decisions) FILTER (WHERE is_whole), 0) AS most_datasets,
    cast(coalesce(sum(decisions) FILTER (WHERE is_whole), 0) AS bigint) AS whole_decisions,
    count(*) FILTER (WHERE NOT is_whole) AS part_requests,
    cast(coalesce(sum(decisions) FILTER (WHERE NOT is_whole), 0) AS bigint) AS part_decisions,
    CASE
        WHEN :run_id = (SELECT max(run_id) FROM holdfast.request_decision)
            THEN (
                SELECT cast(coalesce(sum(pair.of_datasets), 0) AS bigint)
                FROM (SELECT DISTINCT request_id, dataset, of_datasets FROM holdfast.erasure_scope) AS pair
            )
    END AS asked,
    EXISTS (SELECT FROM holdfast.request_after AS after WHERE after.run_id = :run_id) AS is_settled,
    cast((
        SELECT coalesce(sum(erasure.erased_rows), 0) FROM holdfast.erasure WHERE erasure.run_id = :run_id
    ) AS bigint) AS erased_rows,
    (
        SELECT count(DISTINCT erasure.request_id) FROM holdfast.erasure WHERE erasure.run_id = :run_id
    ) AS erased_requests,
    (SELECT count(*) FROM holdfast.restriction WHERE restriction.lifted_at IS NULL) AS restricted
FROM by_request
