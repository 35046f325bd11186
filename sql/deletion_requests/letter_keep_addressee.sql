-- Note that name and address are kept for the letters of this request.
-- params:  request_id bigint, content_pseudonym text, taken_at timestamptz
-- returns: none
-- locks:   the addressee's row
INSERT INTO holdfast.request_addressee AS kept (request_id, content_pseudonym, taken_at)
VALUES (:request_id, :content_pseudonym, :taken_at)
ON CONFLICT (request_id) DO UPDATE
    SET content_pseudonym = excluded.content_pseudonym, taken_at = excluded.taken_at
