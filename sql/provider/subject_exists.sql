-- Which of these subjects are customers of ours, now or before? A deletion request for any other is refused when it comes
-- in. A real provider names its own table of accounts here.
-- params:  subject_keys text[]
-- returns: one row for each that exists (given text, subject_key text: as the subject columns of the data map have it)
-- locks:   none
SELECT given.key AS given, cast(account.account_id AS text) AS subject_key
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
INNER JOIN provider.account
    ON account.account_id = CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END
