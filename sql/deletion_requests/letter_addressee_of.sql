-- What is kept to address the letters of this request?
-- params:  request_id bigint
-- returns: at most one row (content_pseudonym text), none once it is erased
-- locks:   none
SELECT content_pseudonym FROM holdfast.request_addressee WHERE request_id = :request_id AND erased_at IS NULL
