-- From when on is every row that can be seen now one whose facts are taken? Before any of them is read.
-- params:  now timestamptz
-- returns: nothing
-- locks:   the new row of statistics.taking
INSERT INTO statistics.taking (taken_at, seen_in) VALUES (:now, pg_current_snapshot())
