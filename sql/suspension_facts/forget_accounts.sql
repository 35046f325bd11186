-- Which decisions have no row at the provider any more? Whose account they were on is forgotten; their facts stay.
-- params:  since timestamptz
-- returns: the number of decisions
-- locks:   those rows of statistics.link
UPDATE statistics.link SET account = NULL
WHERE
    kind = 'decision' AND account IS NOT NULL AND at >= :since
    AND NOT EXISTS (SELECT FROM incoming_decision WHERE incoming_decision.pseudonym = link.pseudonym)
