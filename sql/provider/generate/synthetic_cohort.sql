-- Which rows have a known answer? The key as text, parts of a composite key joined by a bar.
-- params: seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.synthetic_cohort
INSERT INTO provider.synthetic_cohort (dataset, record_key, cohort, expected)
SELECT
    dataset,
    CASE
        WHEN
            dataset IN (
                'identity_evidence', 'disputes', 'call_recordings', 'review_requests', 'law_enforcement_requests'
            )
            THEN cast(provider.synthetic_uuid(case_no, dataset, :seed) AS text)
        WHEN dataset = 'review_outcomes' THEN cast(provider.synthetic_uuid(case_no, 'review_requests', :seed) AS text)
        WHEN dataset = 'call_detail_records' THEN starts || '|' || case_no
        WHEN dataset = 'accounts' THEN cast(account_id AS text)
        WHEN dataset = 'consents' THEN account_id || '|directory|' || case_no
        ELSE cast(case_no AS text)
    END,
    cohort, expected
FROM synthetic_case
