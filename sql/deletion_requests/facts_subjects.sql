-- Whose rows in these datasets are to be erased tonight, if nothing keeps them?
-- params:  datasets text[]
-- returns: subject_key text, in order
-- locks:   none
SELECT DISTINCT subject_key
FROM holdfast.erasure_scope
WHERE is_ready AND (dataset IS NULL OR dataset = any(cast(:datasets AS text [])))
ORDER BY subject_key
