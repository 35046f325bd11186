-- Which audits are there? The statutory one and one for ISO 27001 are open, one for SOC 2 has been released.
-- params: none
-- returns: the number of rows made
-- locks: the new rows of provider.audit_engagement
INSERT INTO provider.audit_engagement (engagement_id, kind, opened_on, approved_until, released_on)
SELECT made.engagement_id, made.kind, reach.today - 120, reach.today + 200, reach.today - made.released_days_ago
FROM synthetic_window AS reach CROSS JOIN (
    VALUES (1, 'iso_27001', NULL), (2, 'statutory', NULL), (3, 'soc_2', 25)
) AS made (engagement_id, kind, released_days_ago)
WHERE reach.dataset = 'disclosures'
