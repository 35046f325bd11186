-- Between which entries does a deletion request stand?
-- params:  request_id bigint
-- returns: one row (first_seq, last_seq); NULL if no entry names the request
-- locks:   none
SELECT
    min(seq) AS first_seq,
    max(seq) AS last_seq
FROM holdfast.ledger_entry
WHERE
    entry LIKE '%"request%'
    AND (
        entry::jsonb -> 'facts' -> 'request' = to_jsonb(cast(:request_id AS bigint))
        OR ( -- elsewhere `requests` is a count
            jsonb_typeof(entry::jsonb -> 'facts' -> 'requests') = 'array'
            AND entry::jsonb -> 'facts' -> 'requests' @> to_jsonb(cast(:request_id AS bigint))
        )
    )
