-- Make room for the subjects of those lines who are there, until the transaction ends.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE replay_subject (
    dataset text NOT NULL,
    pseudonym text NOT NULL,
    subject_key text NOT NULL
) ON COMMIT DROP
