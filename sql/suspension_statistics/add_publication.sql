-- Keep what was published of a version for good.
-- params:  month date, version integer, now timestamptz, terms text, cells text, hidden text, digest text
-- returns: nothing
-- locks:   the new row of statistics.publication
INSERT INTO statistics.publication (month, version, published_at, terms, cells, hidden, digest)
VALUES (:month, :version, :now, :terms, :cells, :hidden, :digest)
