-- Note that the letters of this request are erased. How many were there?
-- params:  request_id bigint, erased_at timestamptz
-- returns: the number of letters
-- locks:   the letters' rows
UPDATE holdfast.request_letter SET erased_at = :erased_at WHERE request_id = :request_id AND erased_at IS NULL
