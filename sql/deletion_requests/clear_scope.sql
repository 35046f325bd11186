-- Forget what requests asked for last night.
-- params:  none
-- returns: none
-- locks:   the scope's rows
DELETE FROM holdfast.erasure_scope
