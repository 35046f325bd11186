-- Which frozen months before a day still have links, and no review of their decisions, or of earlier ones, that is open?
-- params:  before date
-- returns: month date, in order
-- locks:   none
SELECT DISTINCT version.month
FROM statistics.version
WHERE
    version.month < :before
    AND version.month > coalesce((SELECT max(unlinked.month) FROM statistics.unlinked), '-infinity')
    AND NOT EXISTS (
        SELECT
        FROM statistics.requests('infinity') AS request
        INNER JOIN statistics.decisions('infinity') AS decision ON decision.number = request.case_number
        WHERE
            decision.day < version.month + interval '1 month' AND decision.fault IS NULL AND request.minutes >= 0
            AND NOT EXISTS (
                SELECT FROM statistics.endings('infinity') AS ending WHERE ending.request_number = request.number
            )
    )
ORDER BY version.month
