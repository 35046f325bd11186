-- Where that waits which was erased since a moment, in the database that is searched for it. Gone with the transaction.
-- params:  none
-- returns: nothing; one row will be one request in one dataset, or one of its records (record_key NULL: every record of the
--          subject, categories NULL: whole records, until: made up to this day, or NULL: whenever, kept_rows: so many were
--          there when the request was counted last)
-- locks:   none
CREATE TEMPORARY TABLE erased_since (
    dataset text NOT NULL,
    is_cut boolean NOT NULL,
    request_id bigint NOT NULL,
    pseudonym text NOT NULL,
    record_key text,
    categories text [],
    until date,
    kept_rows bigint NOT NULL
) ON COMMIT DROP
