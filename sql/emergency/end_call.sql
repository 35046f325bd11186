-- End one report of a call, because a person says so.
-- params:  report_id text, at timestamptz
-- returns: one row (report_id) if it was open, else none
-- locks:   the row
UPDATE emergency.call_without_data SET ended_at = :at, ended_how = 'by_hand'
WHERE report_id = :report_id AND ended_at IS NULL
RETURNING report_id
