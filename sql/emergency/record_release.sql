-- Record the file of an extract's good records.
-- params:  extract_id bigint, provider text, sequence bigint, file_name text, sha256 text, records bigint, at timestamptz
-- returns: nothing
-- locks:   the new row
INSERT INTO emergency.release (extract_id, provider, sequence, file_name, sha256, records, released_at)
VALUES (:extract_id, :provider, :sequence, :file_name, :sha256, :records, :at)
