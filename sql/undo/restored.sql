-- Note that the rows were brought back.
-- params:  request_id bigint
-- returns: none
-- locks:   the row of the request
UPDATE holdfast.undo_request SET restored_at = clock_timestamp() WHERE request_id = :request_id
