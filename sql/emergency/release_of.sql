-- Was a file of this number released and delivered?
-- params:  provider text, sequence bigint
-- returns: one row (records) if so, else none
-- locks:   none
SELECT records FROM emergency.release
WHERE provider = :provider AND sequence = :sequence AND delivered_at IS NOT NULL
