-- Of which encrypted batches has the day come on which their key is to be destroyed?
-- params:  as_of date
-- returns: one row for each (batch_id bigint), oldest first
-- locks:   none
SELECT batch_id
FROM holdfast.undo_batch
WHERE ends_on <= :as_of
ORDER BY batch_id
