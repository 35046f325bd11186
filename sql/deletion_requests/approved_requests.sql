-- Which requests are approved and not yet being carried out?
-- params:  none
-- returns: one row for each request (request_id)
-- locks:   none
SELECT request_id FROM holdfast.deletion_request WHERE state = 'approved' ORDER BY request_id
