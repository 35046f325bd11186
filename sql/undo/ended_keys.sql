-- With which keys is anything encrypted although their day has come?
-- params:  as_of date
-- returns: one row for each (run_id bigint, ends_on date)
-- locks:   none
SELECT DISTINCT
    run_id,
    ends_on
FROM holdfast.undo_batch
WHERE ends_on <= :as_of
