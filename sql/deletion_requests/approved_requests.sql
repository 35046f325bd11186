-- Which requests are approved, have somebody to write to, and are not yet being carried out?
-- params:  none
-- returns: one row for each request (request_id)
-- locks:   none
SELECT r.request_id
FROM holdfast.deletion_request AS r
WHERE
    r.state = 'approved'
    AND EXISTS (SELECT FROM holdfast.request_addressee AS a WHERE a.request_id = r.request_id)
ORDER BY r.request_id
