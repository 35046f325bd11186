-- Which hold is meant by this number, or by this reference? One placed by hand comes first.
-- params:  hold_id bigint, reference text, by_hand text
-- returns: at most one row (hold_id, source_id, reference, hold_type, authority, is_released)
-- locks:   none
SELECT hold_id, source_id, reference, hold_type, authority, released_at IS NOT NULL AS is_released
FROM holdfast.hold
WHERE hold_id = cast(:hold_id AS bigint) OR reference = cast(:reference AS text)
ORDER BY source_id <> :by_hand, hold_id
LIMIT 1
