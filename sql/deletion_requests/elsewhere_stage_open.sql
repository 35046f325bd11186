-- Where the requests wait that another database carries out. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE request_elsewhere (
    request_id bigint, reference text, channel text, subject_key text, state text, received_at timestamptz,
    replay_until date, part_no integer, dataset text, category text, record_key text
) ON COMMIT DROP
