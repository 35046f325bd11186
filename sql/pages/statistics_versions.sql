-- Which versions of frozen months are there, without their figures, and which were published?
-- params:  versions bigint
-- returns: at most so many rows, the latest month first and of a month the latest version first (month date, version integer,
--          known_until timestamptz, made_at timestamptz, reason text, digest text, published_at timestamptz: NULL if it was
--          not)
-- locks:   none
SELECT
    version.month,
    version.version,
    version.known_until,
    version.made_at,
    version.reason,
    version.digest,
    publication.published_at
FROM statistics.version
LEFT JOIN statistics.publication
    ON publication.month = version.month AND publication.version = version.version
ORDER BY version.month DESC, version.version DESC
LIMIT :versions
