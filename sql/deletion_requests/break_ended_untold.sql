-- Which requests did a run find to have ended without an address to tell it to? Told once, when it was settled.
-- params:  run_id bigint, examples integer
-- returns: at most one row (about text, found bigint, requests bigint[], holds bigint[])
-- locks:   none
SELECT
    '' AS about,
    count(*) AS found,
    (array_agg(cast(request.id AS bigint) ORDER BY cast(request.id AS bigint)))[1:cast(:examples AS integer)] AS requests,
    cast('{}' AS bigint []) AS holds
FROM holdfast.ledger_entry AS entry
CROSS JOIN LATERAL jsonb_array_elements_text(cast(entry.entry AS jsonb) -> 'facts' -> 'requests') AS request (id)
WHERE entry.run_id = :run_id AND entry.kind = 'letter_impossible'
HAVING count(*) > 0
