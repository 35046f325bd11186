-- Keep a version of a month for good.
-- params:  version jsonb
-- returns: nothing
-- locks:   the new row of statistics.version
INSERT INTO statistics.version (
    month, version, known_until, made_at, reason, made_by, terms, definitions, figures, digest
)
SELECT new.month, new.version, new.known_until, new.made_at, new.reason, new.made_by, new.terms, new.definitions,
    new.figures, new.digest
FROM jsonb_to_record(cast(:version AS jsonb)) AS new (
    month date, version integer, known_until timestamptz, made_at timestamptz, reason text, made_by text, terms text,
    definitions text, figures text, digest text
)
