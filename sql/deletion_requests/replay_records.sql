-- Make room for the single records of those lines that are there, until the transaction ends.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE replay_record (
    reference text NOT NULL,
    dataset text NOT NULL,
    subject_key text NOT NULL,
    record_key text NOT NULL,
    UNIQUE (reference, dataset, record_key)
) ON COMMIT DROP
