-- Which account has this pseudonym, of those that holds and requests name? The ledger has no others.
-- params:  inner_pad bytea, outer_pad bytea, pseudonym text
-- returns: one row (subject_key text); none if no hold and no request is about it
-- locks:   none
SELECT named.subject_key
FROM (
    SELECT hold.subject_key FROM holdfast.hold
    WHERE hold.subject_key IS NOT NULL
    UNION
    SELECT deletion_request.subject_key FROM holdfast.deletion_request
) AS named
WHERE
    'p1:' || left(
        encode(sha256(:outer_pad || sha256(:inner_pad || convert_to(named.subject_key, 'UTF8'))), 'hex'), 32
    ) = :pseudonym
ORDER BY 1
LIMIT 1
