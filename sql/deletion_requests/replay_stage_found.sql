-- Where the requests wait of which there are more rows than there should be. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE found_again (
    request_id bigint NOT NULL, dataset text NOT NULL, found_rows bigint NOT NULL
) ON COMMIT DROP
