-- Record why there is a disagreement. The first reason stands.
-- params:  disagreement_id bigint, explained_by text, pseudonym text, reason text, now timestamptz
-- returns: one row (kind); none if there is no such disagreement without a reason, or it is of what this person did
-- locks:   the row
UPDATE holdfast.disagreement
SET explained_at = :now, explained_by = :explained_by, reason = :reason
WHERE
    disagreement.disagreement_id = :disagreement_id
    AND disagreement.explained_at IS NULL
    AND disagreement.by IS DISTINCT FROM :pseudonym
RETURNING disagreement.kind
