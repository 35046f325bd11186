-- Who of the invented customers asks for erasure? Every thirty-seventh with a contact, live and closed accounts alike, and
-- every fourth of those who owe for an invoice or dispute one.
-- params:  none
-- returns: one row for each (place from 1, subject_key text, is_closed boolean)
-- locks:   none
SELECT
    row_number() OVER (ORDER BY account.account_id) AS place,
    cast(account.account_id AS text) AS subject_key,
    account.closed_at IS NOT NULL AS is_closed
FROM provider.account
WHERE
    account.account_id > 1000
    AND (
        account.account_id % 37 = 0
        OR account.account_id % 4 = 0 AND EXISTS (
            SELECT
            FROM provider.invoice
            WHERE invoice.account_id = account.account_id AND invoice.status IN ('unpaid', 'disputed')
        )
    )
    AND EXISTS (SELECT FROM provider.contact WHERE contact.account_id = account.account_id)
ORDER BY account.account_id
