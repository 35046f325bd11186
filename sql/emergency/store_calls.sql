-- Store reports of 999 calls from numbers without data; a report that was read before is not stored again.
-- params:  report_ids text[], numbers text[], called_at timestamptz[], read_at timestamptz
-- returns: the number of new reports
-- locks:   the new rows
INSERT INTO emergency.call_without_data (report_id, number, called_at, read_at)
SELECT given.report_id, given.number, given.called_at, :read_at
FROM
    unnest(cast(:report_ids AS text[]), cast(:numbers AS text[]), cast(:called_at AS timestamptz[]))
        AS given (report_id, number, called_at)
ON CONFLICT (report_id) DO NOTHING
