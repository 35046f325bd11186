-- Take lines of a file of erasures in that are not older than a moment.
-- params:  lines jsonb, since timestamptz
-- returns: nothing
-- locks:   the new rows
INSERT INTO replay_line (
    reference, channel, received_at, dataset, pseudonym, categories, by_record, records, erased_rows, erased_at
)
SELECT line.reference, line.channel, line.received_at, line.dataset, line.pseudonym, line.categories, line.by_record,
    line.records, line.erased_rows, line.erased_at
FROM jsonb_to_recordset(cast(:lines AS jsonb)) AS line (
    reference text, channel text, received_at timestamptz, dataset text, pseudonym text, categories text [], by_record boolean,
    records text [], erased_rows bigint, erased_at timestamptz
)
WHERE line.erased_at >= cast(:since AS timestamptz)
