-- Note that what was kept to address the letters of this request is erased.
-- params:  request_id bigint, erased_at timestamptz
-- returns: none
-- locks:   the addressee's row
UPDATE holdfast.request_addressee SET erased_at = :erased_at WHERE request_id = :request_id
