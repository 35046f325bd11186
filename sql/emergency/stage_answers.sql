-- Where the lines of a response wait to be matched. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE answer (
    line_no bigint NOT NULL,
    number text NOT NULL,
    is_accepted boolean NOT NULL,
    code text
) ON COMMIT DROP
