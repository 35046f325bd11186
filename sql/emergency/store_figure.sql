-- Record one figure of what an extract would change.
-- params:  extract_id bigint, figure text, value double precision, bound double precision, exceeded boolean
-- returns: nothing
-- locks:   the new row
INSERT INTO emergency.change_figure (extract_id, figure, value, bound, exceeded)
VALUES (:extract_id, :figure, :value, :bound, :exceeded)
ON CONFLICT (extract_id, figure) DO UPDATE
SET value = excluded.value, bound = excluded.bound, exceeded = excluded.exceeded
