-- Where the gaps that are found wait to be compared with those that were open. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE gap_found (provider text NOT NULL, number text NOT NULL, rule_id text NOT NULL) ON COMMIT DROP
