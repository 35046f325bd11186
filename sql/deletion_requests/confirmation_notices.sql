-- Which recipients were told of a request, and what did they answer?
-- params:  request_id bigint
-- returns: one row for each notice (recipient, kind, sent_at or NULL, outcome or NULL, outcome_at or NULL)
-- locks:   none
SELECT recipient, kind, sent_at, outcome, outcome_at
FROM holdfast.recipient_notice
WHERE request_id = :request_id
ORDER BY notice_id
