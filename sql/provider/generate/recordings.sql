-- Which recording files have to be written?
-- params: none
-- returns: a row for each recording (recording_id uuid, file_url text)
-- locks: none
SELECT recording_id, file_url FROM provider.call_recording
