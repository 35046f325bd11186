-- Where the decisions of further databases wait: as planned, and as counted after the work. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE matrix_elsewhere (
    is_after boolean, reference text, LIKE holdfast.request_decision INCLUDING DEFAULTS
) ON COMMIT DROP
