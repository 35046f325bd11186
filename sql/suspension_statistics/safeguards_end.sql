-- Which open breaks are mended?
-- params:  now timestamptz
-- returns: the number of breaks
-- locks:   those rows of statistics.safeguard_break
UPDATE statistics.safeguard_break SET ended_at = :now
WHERE
    ended_at IS NULL
    AND NOT EXISTS (
        SELECT FROM broken_safeguard AS broken
        WHERE broken.kind = safeguard_break.kind AND broken.pseudonym = safeguard_break.pseudonym
    )
