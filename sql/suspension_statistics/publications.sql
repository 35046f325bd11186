-- What was published of months from one on?
-- params:  since date
-- returns: one row for each version that was, in the order of publication (month date, version integer,
--          published_at timestamptz, terms text, cells text, hidden text, digest text, figures text: the true ones)
-- locks:   none
SELECT
    publication.month, publication.version, publication.published_at, publication.terms, publication.cells,
    publication.hidden, publication.digest, version.figures
FROM statistics.publication
INNER JOIN statistics.version
    ON version.month = publication.month AND version.version = publication.version
WHERE publication.month >= :since
ORDER BY publication.published_at, publication.month, publication.version
