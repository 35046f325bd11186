-- What the authority was last told of a number beyond name and address, whether it has a record at all, and which rejects
-- go out again as they were: so that a rejected record is sent again once it was corrected, and not every day.

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('rejects_sent_again', 'A person had rejected records sent again as they were: the rejection was not their fault');

ALTER TABLE emergency.number_record
ADD COLUMN told text CHECK (told IN ('I', 'A', 'C')),
ADD COLUMN is_held boolean,
ADD COLUMN rest_digest bigint;
COMMENT ON COLUMN emergency.number_record.told IS 'The action of the last release that said something of it; NULL: sent before this was kept';
COMMENT ON COLUMN emergency.number_record.is_held IS
'Whether the authority has accepted a record of the number, and no cease since; NULL: sent before this was kept';
COMMENT ON COLUMN emergency.number_record.rest_digest IS
'Of all that a record says beside name and address, but for the day of the last check; NULL: sent before this was kept';

ALTER TABLE emergency.reject ADD COLUMN again_at timestamptz;
COMMENT ON COLUMN emergency.reject.again_at IS 'When a person had the record sent again as it was; NULL: it waits to be corrected';
