-- Say what new requests ask to erase.
-- params:  parts jsonb
-- returns: nothing
-- locks:   the new rows
INSERT INTO holdfast.request_part (request_id, part_no, dataset, category, record_key)
SELECT given.request_id, given.part_no, given.dataset, given.category, given.record_key
FROM jsonb_to_recordset(cast(:parts AS jsonb)) AS given (
    request_id bigint, part_no integer, dataset text, category text, record_key text
)
