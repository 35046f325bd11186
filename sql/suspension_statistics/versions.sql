-- Which versions of the statistics are there, of a month (NULL: of all), from a month on?
-- params:  month date, since date
-- returns: one row for each version, oldest first (month date, version integer, known_until timestamptz, made_at timestamptz,
--          reason text, made_by text, terms text, definitions text, figures text, digest text)
-- locks:   none
SELECT month, version, known_until, made_at, reason, made_by, terms, definitions, figures, digest
FROM statistics.version
WHERE (cast(:month AS date) IS NULL OR month = :month) AND month >= :since
ORDER BY month, version
