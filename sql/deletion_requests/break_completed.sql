-- Put the completed requests into a table of this transaction: read once, and not for each dataset.
-- params:  zone text
-- returns: none; the table `completed` (request_id, subject_key, until date: the day up to which they asked, is_whole: for
--          the whole account)
-- locks:   none
CREATE TEMPORARY TABLE completed ON COMMIT DROP AS
SELECT
    request.request_id,
    request.subject_key,
    coalesce(request.replay_until, cast(timezone(cast(:zone AS text), request.closed_at) AS date)) AS until,
    named.request_id IS NULL AS is_whole
FROM holdfast.deletion_request AS request
LEFT JOIN (SELECT DISTINCT part.request_id FROM holdfast.request_part AS part) AS named
    ON request.request_id = named.request_id
WHERE request.state = 'completed'
