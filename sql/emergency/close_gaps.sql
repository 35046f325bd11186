-- Close the gaps that are gone.
-- params:  at timestamptz
-- returns: the number of gaps closed
-- locks:   the closed rows
UPDATE emergency.gap SET closed_at = :at
WHERE
    closed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM pg_temp.gap_found AS found
        WHERE found.provider = gap.provider AND found.number = gap.number AND found.rule_id = gap.rule_id
    )
