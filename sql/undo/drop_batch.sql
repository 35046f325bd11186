-- Forget an encrypted batch.
-- params:  batch_id bigint
-- returns: none
-- locks:   the row
DELETE FROM holdfast.undo_batch WHERE batch_id = :batch_id
