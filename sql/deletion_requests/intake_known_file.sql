-- Was a file with these bytes taken in before?
-- params:  sha256 text
-- returns: at most one row (taken_in_at timestamptz, taken_rows integer, refused_rows integer)
-- locks:   none
SELECT taken_in_at, taken_rows, refused_rows
FROM holdfast.request_file
WHERE sha256 = :sha256
