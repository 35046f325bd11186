-- Take an extract for oneself, so that two attempts do not release it twice.
-- params:  extract_id bigint
-- returns: one row (state)
-- locks:   the extract's row, until the transaction ends
SELECT state FROM emergency.extract WHERE extract_id = :extract_id FOR UPDATE
