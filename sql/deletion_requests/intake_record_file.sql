-- Remember a file that was taken in; the latest time counts.
-- params:  sha256 text, taken_in_at timestamptz, taken_rows integer, refused_rows integer
-- returns: nothing
-- locks:   the file's row
INSERT INTO holdfast.request_file (sha256, taken_in_at, taken_rows, refused_rows)
VALUES (:sha256, :taken_in_at, :taken_rows, :refused_rows)
ON CONFLICT (sha256) DO UPDATE
SET taken_in_at = excluded.taken_in_at, taken_rows = excluded.taken_rows, refused_rows = excluded.refused_rows
