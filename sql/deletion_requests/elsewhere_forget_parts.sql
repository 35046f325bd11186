-- Forget what this register has as asked for by staged requests, and the main one has otherwise now: after a restore one can
-- have been entered again in other words.
-- params:  none
-- returns: nothing
-- locks:   those parts
DELETE FROM holdfast.request_part AS part
WHERE
    EXISTS (SELECT FROM pg_temp.request_elsewhere AS open WHERE open.request_id = part.request_id)
    AND NOT EXISTS (
        SELECT
        FROM pg_temp.request_elsewhere AS open
        WHERE
            open.request_id = part.request_id
            AND open.part_no = part.part_no
            AND (open.dataset, open.category, open.record_key)
            IS NOT DISTINCT FROM (part.dataset, part.category, part.record_key)
    )
