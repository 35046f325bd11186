-- Note that a disagreement is no longer there.
-- params:  disagreement_id bigint, now timestamptz
-- returns: nothing
-- locks:   the row
UPDATE holdfast.disagreement SET ended_at = :now
WHERE disagreement.disagreement_id = :disagreement_id AND disagreement.ended_at IS NULL
