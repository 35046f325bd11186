-- For which requests is an address kept although no letter is to come any more?
-- params:  none
-- returns: request_id bigint, in order
-- locks:   none
SELECT kept.request_id
FROM holdfast.request_addressee AS kept
WHERE
    kept.erased_at IS NULL
    AND EXISTS (
        SELECT
        FROM holdfast.request_letter AS letter
        WHERE
            letter.request_id = kept.request_id
            AND (letter.kind IN ('final', 'refusal', 'withdrawal') OR (letter.kind = 'outcome' AND letter.rest = '{}'))
    )
ORDER BY kept.request_id
