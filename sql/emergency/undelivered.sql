-- Which releases wait to be delivered, in the order in which they must go?
-- params:  none
-- returns: extract_id, provider, sequence, file_name, sha256
-- locks:   these releases, until the transaction ends; those that another delivery has are waited for
SELECT extract_id, provider, sequence, file_name, sha256
FROM emergency.release
WHERE delivered_at IS NULL
ORDER BY provider ASC, sequence ASC
FOR UPDATE
