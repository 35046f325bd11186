-- Which extracts came last, and what became of them?
-- params:  most bigint
-- returns: extract_id, file_name, extract_type, arrived_on, sha256, state, records, released, quarantined, rule_ids (broken),
--     exceeded (figures)
-- locks:   none
SELECT
    extract.extract_id, extract.file_name, extract.extract_type,
    cast(extract.arrived_at AT TIME ZONE 'Europe/London' AS date) AS arrived_on, extract.sha256, extract.state, extract.records, extract.released,
    extract.quarantined,
    CASE
        WHEN extract.state = 'refused'
            THEN (SELECT array_agg(DISTINCT found.rule_id) FROM emergency.file_finding AS found WHERE found.extract_id = extract.extract_id)
        ELSE
            (
                SELECT array_agg(counted.rule_id ORDER BY counted.rule_id) FROM emergency.rule_count AS counted
                WHERE counted.extract_id = extract.extract_id AND counted.records > 0
            )
    END AS rule_ids,
    (
        SELECT array_agg(figure.figure ORDER BY figure.figure) FROM emergency.change_figure AS figure
        WHERE figure.extract_id = extract.extract_id AND figure.exceeded
    ) AS exceeded
FROM emergency.extract
ORDER BY extract.extract_id DESC
LIMIT :most
