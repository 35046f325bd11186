-- Make room for the lines of the files of erasures, until the transaction ends.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE replay_line (
    reference text NOT NULL,
    channel text NOT NULL,
    received_at timestamptz NOT NULL,
    dataset text NOT NULL,
    pseudonym text NOT NULL,
    categories text[],
    by_record boolean NOT NULL,
    records text[],
    erased_rows bigint NOT NULL,
    erased_at timestamptz NOT NULL
) ON COMMIT DROP
