-- How far has the delivery of this release come?
-- params:  extract_id bigint
-- returns: one row (provider, sequence, file_name, sha256, put_at, delivered_at)
-- locks:   the release, until the transaction ends; another delivery is waited for
SELECT provider, sequence, file_name, sha256, put_at, delivered_at
FROM emergency.release
WHERE extract_id = :extract_id
FOR UPDATE
