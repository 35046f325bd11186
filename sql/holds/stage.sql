-- Where the holds that a source reports wait until they have been checked. Gone with the transaction.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE hold_staged (
    reference text,
    hold_type text,
    subject_key text,
    datasets text [],
    record_key text,
    period_from date,
    period_to date,
    ground text,
    disclosable boolean,
    ends_on date,
    review_on date
) ON COMMIT DROP
